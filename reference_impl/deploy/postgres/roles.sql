-- Two roles: the owner migrates and purges, the service has what the migrations grant it (PCI DSS 7.2.5, 10.3.2).
\getenv owner BILLING_OWNER_PASSWORD
\getenv service BILLING_SERVICE_PASSWORD
CREATE ROLE billing_owner LOGIN PASSWORD :'owner';
CREATE ROLE billing_service LOGIN PASSWORD :'service';
CREATE DATABASE billing OWNER billing_owner;
REVOKE ALL ON DATABASE billing FROM PUBLIC;
GRANT CONNECT ON DATABASE billing TO billing_service;
