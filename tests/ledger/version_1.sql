-- The tables of a ledger of version 1, as they were made then.
CREATE TABLE meta (
    name VARCHAR(64) NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE folder (
    path BLOB NOT NULL,
    mark TEXT NOT NULL,
    first_seen FLOAT NOT NULL,
    PRIMARY KEY (path)
);
CREATE TABLE recognition (
    id INTEGER NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    model TEXT NOT NULL,
    settings TEXT NOT NULL,
    preparation TEXT NOT NULL,
    size BIGINT NOT NULL,
    size_class INTEGER NOT NULL,
    crc64 VARCHAR(16) NOT NULL,
    suffix VARCHAR(16) NOT NULL,
    state VARCHAR(16) NOT NULL,
    owner INTEGER,
    object_key TEXT,
    company INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    tries TEXT NOT NULL,
    rebuys INTEGER NOT NULL,
    wait_until FLOAT NOT NULL,
    created_at FLOAT NOT NULL,
    ready_at FLOAT,
    finished_at FLOAT,
    code TEXT,
    message TEXT,
    remedy TEXT,
    request_id TEXT,
    task_id TEXT,
    PRIMARY KEY (id)
);
CREATE INDEX recognition_content ON recognition (sha256);
CREATE INDEX recognition_work ON recognition (state, id);
CREATE UNIQUE INDEX one_live_recognition ON recognition (sha256, model, settings, preparation) WHERE (state NOT IN ('refused', 'abandoned', 'forgotten'));
CREATE TABLE batch (
    id INTEGER NOT NULL,
    endpoint TEXT NOT NULL,
    account VARCHAR(64) NOT NULL,
    model TEXT NOT NULL,
    settings TEXT NOT NULL,
    state VARCHAR(16) NOT NULL,
    owner INTEGER,
    total INTEGER NOT NULL,
    task_id TEXT,
    request_id TEXT,
    intended_at FLOAT NOT NULL,
    server_time FLOAT,
    submitted_at FLOAT,
    closed_at FLOAT,
    billed_seconds FLOAT,
    reason TEXT,
    paid_twice TEXT,
    PRIMARY KEY (id),
    UNIQUE (task_id)
);
CREATE INDEX batch_work ON batch (state, id);
CREATE TABLE scope (
    name TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    remedy TEXT NOT NULL,
    since FLOAT NOT NULL,
    retry_at FLOAT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE lesson (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    until FLOAT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE media (
    id INTEGER NOT NULL,
    inbox TEXT NOT NULL,
    path BLOB NOT NULL,
    size BIGINT NOT NULL,
    mtime_ns BIGINT NOT NULL,
    inode TEXT NOT NULL,
    sha256 VARCHAR(64),
    recognition_id INTEGER,
    state VARCHAR(16) NOT NULL,
    owner INTEGER,
    wait_until FLOAT NOT NULL,
    reason TEXT,
    taken_at FLOAT NOT NULL,
    finished_at FLOAT,
    moved_to BLOB,
    error_file BLOB,
    code TEXT,
    message TEXT,
    remedy TEXT,
    request_id TEXT,
    task_id TEXT,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(recognition_id) REFERENCES recognition (id)
);
CREATE INDEX media_path ON media (inbox, path);
CREATE INDEX media_recognition ON media (recognition_id);
CREATE INDEX media_work ON media (state, inbox, id);
CREATE TABLE stored_object (
    "key" TEXT NOT NULL,
    recognition_id INTEGER,
    multipart BOOLEAN NOT NULL,
    upload_id TEXT,
    doomed BOOLEAN NOT NULL,
    created_at FLOAT NOT NULL,
    PRIMARY KEY ("key"),
    FOREIGN KEY(recognition_id) REFERENCES recognition (id)
);
CREATE INDEX ix_stored_object_recognition_id ON stored_object (recognition_id);
CREATE INDEX object_doomed ON stored_object (doomed, "key");
CREATE TABLE batch_item (
    id INTEGER NOT NULL,
    batch_id INTEGER NOT NULL,
    recognition_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    object_key TEXT NOT NULL,
    live BOOLEAN DEFAULT 0 NOT NULL,
    verdict TEXT,
    PRIMARY KEY (id),
    FOREIGN KEY(batch_id) REFERENCES batch (id),
    FOREIGN KEY(recognition_id) REFERENCES recognition (id)
);
CREATE INDEX ix_batch_item_batch_id ON batch_item (batch_id);
CREATE INDEX ix_batch_item_recognition_id ON batch_item (recognition_id);
CREATE UNIQUE INDEX one_open_payment ON batch_item (recognition_id) WHERE live;
CREATE TABLE result (
    recognition_id INTEGER NOT NULL,
    body BLOB NOT NULL,
    received_at FLOAT NOT NULL,
    PRIMARY KEY (recognition_id),
    FOREIGN KEY(recognition_id) REFERENCES recognition (id)
);
CREATE INDEX ix_result_received_at ON result (received_at);
CREATE TABLE output (
    path BLOB NOT NULL,
    media_id INTEGER NOT NULL,
    format VARCHAR(32) NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    replaces VARCHAR(64) DEFAULT '' NOT NULL,
    PRIMARY KEY (path),
    FOREIGN KEY(media_id) REFERENCES media (id)
);
CREATE INDEX ix_output_media_id ON output (media_id);
INSERT INTO meta (name, value) VALUES ('schema_version', '1');
