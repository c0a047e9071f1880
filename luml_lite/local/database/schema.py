"""The tables and their version. In TABLES, a line starts with CREATE only where a statement begins."""

from __future__ import annotations

VERSION = 1

TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE api_keys (
    digest BLOB PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE
) STRICT;
CREATE TABLE organizations (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, logo TEXT, total_artifacts INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL, updated_at TEXT
) STRICT;
CREATE TABLE organization_members (
    organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    role TEXT NOT NULL,
    PRIMARY KEY (organization_id, user_id)
) STRICT;
CREATE TABLE bucket_secrets (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    type TEXT NOT NULL, endpoint TEXT NOT NULL, bucket_name TEXT NOT NULL, access TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT
) STRICT;
CREATE INDEX bucket_secrets_of ON bucket_secrets (organization_id, id);
CREATE TABLE orbits (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    bucket_secret_id TEXT NOT NULL REFERENCES bucket_secrets ON DELETE RESTRICT,
    name TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT
) STRICT;
CREATE INDEX orbits_of ON orbits (organization_id, id);
CREATE INDEX orbits_with ON orbits (bucket_secret_id);
CREATE TABLE orbit_members (
    orbit_id TEXT NOT NULL REFERENCES orbits ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    role TEXT NOT NULL,
    PRIMARY KEY (orbit_id, user_id)
) STRICT;
CREATE TABLE collections (
    id TEXT PRIMARY KEY, orbit_id TEXT NOT NULL REFERENCES orbits ON DELETE CASCADE,
    name TEXT NOT NULL, description TEXT NOT NULL, type TEXT NOT NULL, tags TEXT,
    total_artifacts INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL, updated_at TEXT
) STRICT;
CREATE INDEX collections_by_created_at ON collections (orbit_id, created_at, id);
CREATE INDEX collections_by_name ON collections (orbit_id, name, id);
CREATE TABLE artifacts (
    id TEXT PRIMARY KEY, collection_id TEXT NOT NULL REFERENCES collections ON DELETE RESTRICT,
    file_name TEXT NOT NULL, name TEXT NOT NULL, description TEXT, size INTEGER NOT NULL, type TEXT NOT NULL,
    status TEXT NOT NULL, file_hash TEXT NOT NULL, tags TEXT, bucket_location TEXT NOT NULL,
    unique_identifier TEXT NOT NULL, created_by_user TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT,
    extra_values TEXT NOT NULL, manifest TEXT NOT NULL, file_index TEXT NOT NULL
) STRICT;
CREATE INDEX artifacts_by_created_at ON artifacts (collection_id, type, created_at, id);
CREATE INDEX artifacts_by_name ON artifacts (collection_id, type, name, id);
CREATE INDEX artifacts_by_size ON artifacts (collection_id, type, size, id);
CREATE INDEX artifacts_by_description ON artifacts (collection_id, type, description, id);
CREATE INDEX artifacts_by_status ON artifacts (collection_id, type, status, id);
CREATE INDEX artifacts_by_type ON artifacts (collection_id, type, id);
CREATE INDEX artifacts_by_file_hash ON artifacts (collection_id, type, file_hash, id);
CREATE INDEX artifacts_by_location ON artifacts (bucket_location);
CREATE INDEX artifacts_tagged ON artifacts (collection_id, tags) WHERE tags IS NOT NULL;
CREATE TABLE metrics (
    collection_id TEXT NOT NULL, key TEXT NOT NULL, type TEXT NOT NULL, value ANY NOT NULL,
    artifact_id TEXT NOT NULL REFERENCES artifacts ON DELETE CASCADE,
    PRIMARY KEY (collection_id, key, type, value, artifact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX metrics_of ON metrics (artifact_id, key);
CREATE TABLE metric_keys (
    collection_id TEXT NOT NULL REFERENCES collections ON DELETE CASCADE, key TEXT NOT NULL, artifacts INTEGER NOT NULL,
    PRIMARY KEY (collection_id, key)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER artifact_made AFTER INSERT ON artifacts BEGIN
    UPDATE collections SET total_artifacts = total_artifacts + 1 WHERE id = new.collection_id;
    UPDATE organizations SET total_artifacts = total_artifacts + 1 WHERE id = (
        SELECT o.organization_id FROM orbits o JOIN collections c ON c.orbit_id = o.id WHERE c.id = new.collection_id);
END;
CREATE TRIGGER artifact_gone AFTER DELETE ON artifacts BEGIN
    UPDATE collections SET total_artifacts = total_artifacts - 1 WHERE id = old.collection_id;
    UPDATE organizations SET total_artifacts = total_artifacts - 1 WHERE id = (
        SELECT o.organization_id FROM orbits o JOIN collections c ON c.orbit_id = o.id WHERE c.id = old.collection_id);
END;
CREATE TRIGGER metric_made AFTER INSERT ON metrics BEGIN
    INSERT INTO metric_keys VALUES (new.collection_id, new.key, 1)
        ON CONFLICT DO UPDATE SET artifacts = artifacts + 1;
END;
CREATE TRIGGER metric_gone AFTER DELETE ON metrics BEGIN
    UPDATE metric_keys SET artifacts = artifacts - 1 WHERE collection_id = old.collection_id AND key = old.key;
    DELETE FROM metric_keys WHERE collection_id = old.collection_id AND key = old.key AND artifacts = 0;
END;
CREATE TABLE tracks (
    id TEXT PRIMARY KEY, orbit_id TEXT NOT NULL REFERENCES orbits ON DELETE CASCADE, name TEXT NOT NULL,
    artifact_type TEXT NOT NULL, description TEXT, tags TEXT, next_version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL, updated_at TEXT
) STRICT;
CREATE INDEX tracks_by_created_at ON tracks (orbit_id, created_at, id);
CREATE TABLE stages (
    id TEXT PRIMARY KEY, track_id TEXT NOT NULL REFERENCES tracks ON DELETE CASCADE, name TEXT NOT NULL,
    position INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT, UNIQUE (track_id, name)
) STRICT;
CREATE TABLE entries (
    id TEXT PRIMARY KEY, track_id TEXT NOT NULL REFERENCES tracks ON DELETE CASCADE,
    artifact_id TEXT NOT NULL REFERENCES artifacts ON DELETE RESTRICT, version INTEGER NOT NULL,
    stage_id TEXT UNIQUE REFERENCES stages ON DELETE SET NULL, added_by TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT, UNIQUE (track_id, artifact_id)
) STRICT;
CREATE INDEX entries_of ON entries (artifact_id);
CREATE TABLE objects (
    bucket_id TEXT NOT NULL, key TEXT NOT NULL, etag TEXT NOT NULL, md5 TEXT, size INTEGER NOT NULL,
    content_type TEXT NOT NULL, modified_at TEXT NOT NULL, upload_id TEXT,
    PRIMARY KEY (bucket_id, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE segments (
    bucket_id TEXT NOT NULL, key TEXT NOT NULL, position INTEGER NOT NULL, start INTEGER NOT NULL,
    size INTEGER NOT NULL, file TEXT NOT NULL UNIQUE, name ANY,
    PRIMARY KEY (bucket_id, key, position),
    FOREIGN KEY (bucket_id, key) REFERENCES objects ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE uploads (
    id TEXT PRIMARY KEY, bucket_id TEXT NOT NULL, key TEXT NOT NULL, created_at TEXT NOT NULL
) STRICT;
CREATE TABLE parts (
    upload_id TEXT NOT NULL REFERENCES uploads ON DELETE CASCADE, name ANY NOT NULL, file TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL, md5 BLOB NOT NULL,
    PRIMARY KEY (upload_id, name)
) STRICT, WITHOUT ROWID;
"""
