"""RSA requests with numbers that no sound tool makes, each signed with its own
key so that only the key can be the reason to refuse it.

The random numbers come from a fixed seed: every run writes the same files.
"""

import base64
import hashlib
import math
import random

chance = random.Random(20261124)


def is_prime(n):
    if n < 2 or any(n % p == 0 and n != p for p in (2, 3, 5, 7, 11, 13, 17, 19, 23)):
        return False
    s = (n - 1 & -(n - 1)).bit_length() - 1
    d = n - 1 >> s
    for _ in range(12):
        x = pow(chance.randrange(2, n - 1), d, n)
        if x not in (1, n - 1) and all((x := x * x % n) != n - 1 for _ in range(s - 1)):
            return False
    return True


def next_prime(n, e=65537):
    n |= 1
    while not is_prime(n) or (n - 1) % e == 0:
        n += 2
    return n


def prime(bits, e=65537):
    """With the two highest bits set, so that products have full size."""
    return next_prime(chance.getrandbits(bits) | 3 << (bits - 2), e)


def tlv(tag, *contents):
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + content


def integer(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def write(name, primes, e=65537, d=None):
    """`primes` with multiplicity; d defaults to the inverse of e."""
    n = math.prod(primes)
    if d is None:
        phi = 1
        for p in set(primes):
            phi *= (p - 1) * p ** (primes.count(p) - 1)
        d = pow(e, -1, phi)
    null = tlv(5)
    rsa = tlv(0x30, tlv(6, bytes.fromhex("2a864886f70d010101")), null)
    key = tlv(0x30, integer(n), integer(e))
    spki = tlv(0x30, rsa, tlv(3, b"\0", key))
    subject = tlv(0x30, tlv(0x31, tlv(0x30, tlv(6, b"\x55\x04\x03"), tlv(12, b"www.reseal.dev"))))
    info = tlv(0x30, tlv(2, b"\0"), subject, spki, tlv(0xA0))
    size = (n.bit_length() + 7) // 8
    sha256 = tlv(0x30, tlv(6, bytes.fromhex("608648016503040201")), null)
    digest = tlv(0x30, sha256, tlv(4, hashlib.sha256(info).digest()))
    padded = b"\0\1" + b"\xff" * (size - len(digest) - 3) + b"\0" + digest
    message = int.from_bytes(padded, "big")
    signature = pow(message, d, n)
    # With an even exponent or modulus nothing can be signed.
    assert e % 2 == 0 or n % 2 == 0 or pow(signature, e, n) == message, name
    algorithm = tlv(0x30, tlv(6, bytes.fromhex("2a864886f70d01010b")), null)
    der = tlv(0x30, info, algorithm, tlv(3, b"\0", signature.to_bytes(size, "big")))
    body = base64.encodebytes(der).decode().replace("\n", "")
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    with open(f"{name}.pem", "w") as file:
        file.write("-----BEGIN CERTIFICATE REQUEST-----\n" + "\n".join(lines))
        file.write("\n-----END CERTIFICATE REQUEST-----\n")


def round_of(p, q):
    """In which round of Fermat's method p * q falls apart, from 1."""
    n = p * q
    root = math.isqrt(n - 1) + 1
    return (p + q) // 2 - root + 1


def close_primes(wanted):
    """Two primes whose product falls apart in exactly that round."""
    while True:
        p = prime(1024)
        # (p + q) / 2 - sqrt(p q) is about (q - p)^2 / (8 p).
        low, high = 1, 1 << 600
        while low < high:
            middle = (low + high) // 2
            if round_of(p, p + 2 * middle) < wanted:
                low = middle + 1
            else:
                high = middle
        q = next_prime(p + 2 * low)
        if round_of(p, q) == wanted:
            return [p, q]


def roca_prime(bits):
    """As the flawed library made them: k * M + 65537^a mod M."""
    m = math.prod(p for p in range(2, 354) if all(p % d for d in range(2, p)))
    while True:
        a = pow(65537, chance.getrandbits(200), m)
        k = chance.randrange((3 << (bits - 2)) // m + 1, (1 << bits) // m)
        if is_prime(k * m + a):
            return k * m + a


def completed(bits, *primes):
    """The primes and one more, which gives their product that many bits."""
    n = math.prod(primes)
    low, high = (1 << (bits - 1)) // n + 1, (1 << bits) // n
    return [*primes, next_prime(chance.randrange(low, high))]


def cube_root(bits):
    """A prime whose cube has that many bits."""
    while (p := next_prime(chance.getrandbits(bits // 3 + 1))) ** 3 >> (bits - 1) != 1:
        pass
    return p


sound = [prime(1024), prime(1024)]
write("rsa-exponent-1", sound, e=1, d=1)
write("rsa-exponent-2", sound, e=2, d=1)
write("rsa-exponent-3", [prime(1024, 3), prime(1024, 3)], e=3)
write("rsa-exponent-301-bits", sound, e=2**300 + 1)
write("rsa-even", completed(2048, 2))
write("rsa-factor-3", completed(2048, 3))
write("rsa-factor-751", completed(2048, 751))
write("rsa-factor-757", completed(2048, 757))
square = prime(1024)
write("rsa-square", [square, square])
write("rsa-cube", [cube_root(2048)] * 3)
write("rsa-close-primes-1", close_primes(1))
write("rsa-close-primes-100", close_primes(100))
write("rsa-close-primes-101", close_primes(101))
write("rsa-roca", [roca_prime(1024), roca_prime(1024)])
write("rsa-16384", completed(16384, *[prime(512) for _ in range(31)]))
write("rsa-2049", completed(2049, prime(1024)))
