-- A certificate's domain name is one of its names, which have an index of their own: a list by domain name finds it there.
-- This one took a page of each issuance for itself.
DROP INDEX certificate_domain_name;
