//! Table `precertificate`.

super::statements! {
    /// process, serial, issuer, der, created
    INSERT = "INSERT INTO precertificate (process, serial, issuer, der, created) VALUES ($1, $2, $3, $4, $5)";
    /// process → serial, issuer, der, created of its newest one
    SELECT_BY_PROCESS = "SELECT serial, issuer, der, created FROM precertificate \
        WHERE process = $1 ORDER BY id DESC LIMIT 1";
    /// serial, issuer → der, while its process goes on
    SELECT_DER = "SELECT precertificate.der FROM precertificate JOIN process ON process.id = precertificate.process \
        WHERE precertificate.serial = $1 AND precertificate.issuer = $2 AND process.open = 1";
}
