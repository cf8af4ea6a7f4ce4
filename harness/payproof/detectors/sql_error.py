from typing import ClassVar

from payproof.domain.finding import Confidence
from payproof.forms import Form, FormDetector, Forms
from payproof.registry import detector

__all__ = ["SqlError"]


@detector
class SqlError(FormDetector):
    """Error texts of databases, of their drivers and of what maps objects to them; and statements (CWE-209)."""

    name: ClassVar[str] = "sql_error"
    by_error: ClassVar[bool] = True
    positive: ClassVar[tuple[bytes, ...]] = (
        b'relation "invoices" does not exist\nLINE 1: SELECT 1 FROM invoices\n                      ^',
        b'duplicate key value violates unique constraint "inbox_pkey"\nDETAIL:  Key (event_id)=(evt_1) already exists.',
        b'FATAL:  password authentication failed for user "billing"',
        b'{"error":"syntax error at or near \\"FORM\\""}',
        b"org.postgresql.util.PSQLException: ERROR",
        b'(1064, "You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server")',
        b"Duplicate entry &#x27;evt_1&#x27; for key &#x27;PRIMARY&#x27;",
        b"SQLSTATE[42S02]: Base table or view not found",
        b'{"code":"ER_NO_SUCH_TABLE","errno":1146}',
        b"SqliteError: UNIQUE constraint failed: inbox.event_id",
        b"SQLITE_ERROR: no such table: invoices",
        b'near "FORM": syntax error',
        b"Unclosed quotation mark after the character string 'x'.",
        b"Msg 208, Level 16, State 1, Line 1\nInvalid object name 'invoices'.",
        b"ORA-00942: table or view does not exist",
        b"DPY-6005: cannot connect to database",
        b"[SQL: SELECT invoices.id FROM invoices WHERE invoices.id = %(id_1)s]\n[parameters: {'id_1': 1}]",
        b"(Background on this error at: https://sqlalche.me/e/20/e3q8)",
        b"psycopg.errors.UndefinedTable",
        b"django.db.utils.OperationalError",
        b"Invalid `prisma.invoice.findUnique()` invocation:",
        b"PrismaClientKnownRequestError",
        b"ActiveRecord::RecordNotUnique (PG::UniqueViolation",
        b"could not execute statement [ERROR: null value in column]",
        b"org.hibernate.exception.SQLGrammarException",
        b"E11000 duplicate key error collection: billing.inbox index: _id_ dup key",
        b"MongoServerError: no",
        b"Topology Description: <TopologyDescription id: 1",
        b"WRONGTYPE Operation against a key holding the wrong kind of value",
        b"redis.exceptions.ConnectionError",
        b"INSERT INTO inbox (event_id) VALUES ($1)",
        b'invalid input syntax for type integer: "x"',
        b"value too long for type character varying(20)",
        b"permission denied for table inbox",
        b"current transaction is aborted, commands ignored until end of transaction block",
        b"canceling statement due to statement timeout",
        b'no pg_hba.conf entry for host "127.0.0.1"',
        b"Npgsql.PostgresException",
        b"Unknown column 'customer' in 'field list'",
        b"Table 'billing.invoices' doesn't exist",
        b"Access denied for user 'billing'@'localhost'",
        b"Unknown database 'billing'",
        b"Data too long for column 'event_id' at row 1",
        b"Out of range value for column 'amount' at row 1",
        b"Column 'amount' cannot be null",
        b"Cannot add or update a child row: a foreign key constraint fails",
        b"Incorrect integer value: 'x' for column 'amount' at row 1",
        b"Field 'amount' doesn't have a default value",
        b"pymysql.err.ProgrammingError",
        b"com.mysql.cj.jdbc.exceptions.CommunicationsException",
        b"org.mariadb.jdbc.internal.util.exceptions",
        b"Mysql2::Error: no",
        b"SQL state [42S02]; error code [1146]",
        b'unrecognized token: "\'x"',
        b"unable to open database file",
        b"database is locked",
        b"database disk image is malformed",
        b"attempt to write a readonly database",
        b"sqlite3.OperationalError",
        b"SQLite3::SQLException: no",
        b"Incorrect syntax near 'FORM'.",
        b"Violation of PRIMARY KEY constraint 'PK_inbox'.",
        b"Conversion failed when converting the varchar value",
        b"String or binary data would be truncated",
        b"Login failed for user 'billing'.",
        b"[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]no",
        b"DB-Lib error message 20009, severity 9",
        b"Microsoft.Data.SqlClient.SqlException",
        b"com.microsoft.sqlserver.jdbc.SQLServerException",
        b"pymssql.OperationalError",
        b"oracle.jdbc.OracleDatabaseException",
        b"Oracle.ManagedDataAccess.Client.OracleException",
        b"sqlalchemy.exc.OperationalError",
        b'{"code":"P2002","clientVersion":"6.1.0"}',
        b"java.sql.SQLSyntaxErrorException",
        b"org.springframework.dao.DataIntegrityViolationException",
        b"bad SQL grammar [SELECT 1]",
        b"pymongo.errors.DuplicateKeyError",
        b"com.mongodb.MongoWriteException",
        b'Cast to ObjectId failed for value "x"',
        b"NOAUTH Authentication required.",
        b"HELLO must be called with the client already authenticated",
        b"MISCONF Redis is configured to save",
        b"READONLY You can't write against a read only replica.",
        b"OOM command not allowed when used memory > 'maxmemory'.",
        b"NOSCRIPT No matching script.",
        b"ERR value is not an integer or out of range",
        b"ReplyError: no",
        b"redis.clients.jedis.exceptions.JedisConnectionException",
        b"StackExchange.Redis.RedisConnectionException",
        b"WRONGPASS invalid username-password pair or user is disabled.",
        b"unknown command 'CHARGE', with args beginning with: 'cus_1'",
        b"DELETE FROM inbox WHERE event_id = 1",
        b"UPDATE inbox SET amount = 1",
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b'{"error":{"code":"service_unavailable","message":"The service is not available at the moment."}}',
        b"Please select an invoice from the list, or update your settings.",
        b'{"detail":"This invoice does not exist."}',
        b"The value in column 3 is missing. Syntax error in your request.",
        b"Duplicate event. Unknown column layout.",
    )
    forms: ClassVar[Forms] = Forms(
        Form(
            "PostgreSQL error",
            rb"\b(?:relation|column|function|type|schema|database|role|"
            rb"table) \"[^\"\n]{1,130}\" (?:of relation \"[^\"\n]{1,130}\" )?"
            rb"(?:does not exist|already exists)",
            needs=(b"exist",),
        ),
        Form(
            "PostgreSQL error",
            rb"violates (?:unique|foreign key|check|not-null|exclusion) constraint",
            needs=(b"violates ",),
        ),
        Form(
            "PostgreSQL error",
            rb"syntax error at (?:or near \"|end of input)|invalid input syntax for (?:type )?[a-z]+",
            needs=(b"syntax error at ", b"invalid input syntax for "),
        ),
        Form(
            "PostgreSQL error",
            rb"value too long for type character|(?:permission denied|must be owner) (?:for|of) (?:table|"
            rb"relation|schema)",
            needs=(b"value too long for type ", b"permission denied for ", b"must be owner of "),
        ),
        Form(
            "PostgreSQL error",
            rb"\nLINE \d+: |\nDETAIL:  |\bFATAL:  |current transaction is aborted, commands ignored",
            needs=(b"\nLINE ", b"\nDETAIL:  ", b"FATAL:  ", b"current transaction is aborted"),
        ),
        Form(
            "PostgreSQL error",
            rb"canceling statement due to |password authentication failed for user|no pg_hba\.conf entry for",
            needs=(b"canceling statement due to ", b"password authentication failed for ", b"no pg_hba.conf entry for"),
        ),
        Form(
            "PostgreSQL driver",
            rb"\b(?:psycopg2?|asyncpg|pg8000)\.(?:\w+\.){0,3}[A-Z]\w+|org\.postgresql\.|PSQLException|"
            rb"PG::[A-Z]\w+|\bNpgsql\.",
            needs=(b"psycopg", b"asyncpg", b"pg8000", b"postgresql", b"PSQLException", b"PG::", b"Npgsql"),
        ),
        Form(
            "MySQL error",
            rb"You have an error in your SQL syntax|manual that corresponds to your (?:MySQL|MariaDB) server",
            needs=(b"SQL syntax", b"manual that corresponds to your "),
        ),
        Form(
            "MySQL error",
            rb"Duplicate entry '[^'\n]{0,300}' for key|Unknown column '[^'\n]{1,130}' in '",
            needs=(b"Duplicate entry ", b"Unknown column "),
        ),
        Form(
            "MySQL error",
            rb"Table '[^'\n]{1,130}\.[^'\n]{1,130}' doesn't exist|Access denied for user '|Unknown database '",
            needs=(b"doesn't exist", b"Access denied for user ", b"Unknown database "),
        ),
        Form(
            "MySQL error",
            rb"Data too long for column '|Out of range value for column '|Column '[^'\n]{1,130}' cannot be null",
            needs=(b"Data too long for column ", b"Out of range value for column ", b"cannot be null"),
        ),
        Form(
            "MySQL error",
            rb"Cannot (?:add or update a child|delete or update a parent) row: a foreign key constraint fails",
            needs=(b"a foreign key constraint fails",),
        ),
        Form(
            "MySQL error",
            rb"Incorrect [a-z]+ value: '[^'\n]{0,300}' for column|Field '[^'\n]{1,130}' doesn't have a default value",
            needs=(b"Incorrect ", b"doesn't have a default value"),
        ),
        Form(
            "MySQL driver",
            rb"\b(?:pymysql|MySQLdb|mysql\.connector)\.\w+|com\.mysql\.|org\.mariadb\.jdbc|Mysql2::Error|"
            rb"\bER_[A-Z]+_[A-Z_]+",
            needs=(b"pymysql", b"MySQLdb", b"mysql", b"mariadb", b"Mysql2", b"ER_"),
        ),
        Form("SQLSTATE", rb"SQLSTATE\[\w{5}\]|\bSQL state \[\w{0,5}\]", needs=(b"SQLSTATE", b"SQL state")),
        Form(
            "SQLite error",
            rb"(?:UNIQUE|NOT NULL|CHECK|FOREIGN KEY|PRIMARY KEY) constraint failed\b|"
            rb"near \"[^\"\n]{0,100}\": syntax error",
            needs=(b"constraint failed", b"syntax error"),
        ),
        Form(
            "SQLite error",
            rb"\bno such (?:table|column|function|index): \w|\bunrecognized token: \"|unable to open database file",
            needs=(b"no such ", b"unrecognized token: ", b"unable to open database file"),
        ),
        Form(
            "SQLite error",
            rb"\bdatabase is locked\b|database disk image is malformed|attempt to write a readonly database",
            needs=(b"database is locked", b"database disk image is malformed", b"write a readonly database"),
        ),
        Form(
            "SQLite driver",
            rb"\bsqlite3\.\w*(?:Error|Warning)\b|\bSQLITE_[A-Z]{3,}|SQLite3::\w+Exception|\bSqliteError\b",
            needs=(b"sqlite3.", b"SQLITE_", b"SQLite3::", b"SqliteError"),
        ),
        Form(
            "SQL Server error",
            rb"Unclosed quotation mark (?:after|before) the character string|Incorrect syntax near (?:'|the keyword)",
            needs=(b"Unclosed quotation mark ", b"Incorrect syntax near "),
        ),
        Form(
            "SQL Server error",
            rb"Invalid (?:object|column) name '|\bMsg \d+, Level \d+, State \d+|Violation of (?:PRIMARY|"
            rb"UNIQUE) KEY constraint",
            needs=(b"Invalid ", b"Msg ", b"Violation of "),
        ),
        Form(
            "SQL Server error",
            rb"Conversion failed when converting |String or binary data would be truncated|Login failed for user '",
            needs=(b"Conversion failed when converting ", b"String or binary data", b"Login failed for user "),
        ),
        Form(
            "SQL Server driver",
            rb"\[SQL Server\]|DB-Lib error message|\.Data\.SqlClient\.|com\.microsoft\.sqlserver\.|\bpymssql\.\w+",
            needs=(b"[SQL Server]", b"DB-Lib", b"SqlClient", b"sqlserver", b"pymssql"),
        ),
        Form(
            "Oracle error",
            rb"\b(?:ORA|PLS|TNS|SP2)-\d{4,5}\b|\bDP[YI]-\d{4}\b|\boracle\.jdbc\.|OracleException",
            needs=(b"ORA-", b"PLS-", b"TNS-", b"SP2-", b"DPY-", b"DPI-", b"oracle.jdbc", b"OracleException"),
        ),
        Form(
            "SQLAlchemy error",
            rb"\[SQL: |\[parameters: |sqlalche\.me/e/|\bsqlalchemy\.exc\.\w+",
            needs=(b"[SQL: ", b"[parameters: ", b"sqlalche"),
        ),
        Form("Django database error", rb"\bdjango\.db\.utils\.\w+", needs=(b"django.db.utils.",)),
        Form(
            "Prisma error",
            rb"PrismaClient\w*Error|Invalid `[^`\n]{1,100}` invocation|\"clientVersion\"\s?:\s?\"\d",
            needs=(b"PrismaClient", b"Invalid `", b"clientVersion"),
        ),
        Form("ActiveRecord error", rb"\bActiveRecord::[A-Z]\w+", needs=(b"ActiveRecord::",)),
        Form(
            "Hibernate error",
            rb"\borg\.hibernate\.[\w.]+|could not (?:execute (?:statement|query|batch)|extract ResultSet|"
            rb"prepare statement)",
            needs=(b"org.hibernate.", b"could not "),
        ),
        Form(
            "JDBC error",
            rb"\bjava\.sql\.\w+|\borg\.springframework\.(?:dao|jdbc)\.[\w.]+|bad SQL grammar \[",
            needs=(b"java.sql.", b"org.springframework.", b"bad SQL grammar "),
        ),
        Form(
            "MongoDB error",
            rb"\bE11000 duplicate key|\bMongo(?:Server|Network|Bulk|Write|Parse|API|Topology)\w*(?:Error|Exception)\b",
            needs=(b"E11000", b"Mongo"),
        ),
        Form(
            "MongoDB error",
            rb"Topology Description: <|\bpymongo\.errors\.|com\.mongodb\.|Cast to ObjectId failed for value",
            needs=(b"Topology Description: ", b"pymongo.errors", b"com.mongodb.", b"Cast to ObjectId"),
        ),
        Form(
            "Redis error",
            rb"WRONGTYPE Operation against|NOAUTH Authentication required|"
            rb"HELLO must be called with the client already authenticated|MISCONF Redis is configured|"
            rb"READONLY You can't write against",
            needs=(b"WRONGTYPE", b"NOAUTH", b"HELLO", b"MISCONF", b"READONLY"),
        ),
        Form(
            "Redis error",
            rb"OOM command not allowed|NOSCRIPT No matching script|ERR (?:unknown command|"
            rb"value is not an integer|wrong number of arguments)",
            needs=(b"OOM command", b"NOSCRIPT", b"ERR "),
        ),
        Form(
            "Redis error",
            rb"\bredis\.exceptions\.\w+|\bReplyError: |redis\.clients\.jedis\.|StackExchange\.Redis\.",
            needs=(b"redis.", b"ReplyError", b"StackExchange.Redis"),
        ),
        Form(
            "Redis error",
            rb"invalid username-password pair or user is disabled|"
            rb"unknown command '[^'\n]{0,60}', with args beginning with:",
            needs=(b"invalid username-password", b"unknown command "),
        ),
        Form(
            "SQL statement",
            rb"\bSELECT [^;<\n]{1,300} FROM [\w\"`\[]|\bINSERT INTO [\w.\"`\[\]]{1,130} ?\(|"
            rb"\bDELETE FROM [\w.\"`\[\]]{1,130} WHERE|"
            rb"\bUPDATE [\w.\"`\[\]]{1,130} SET [\w\"`\[]",
            Confidence.MEDIUM,
            needs=(b"SELECT ", b"INSERT INTO ", b"DELETE FROM ", b"UPDATE "),
        ),
    )
