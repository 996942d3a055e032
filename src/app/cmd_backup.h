/* cmd_backup: what `sedge backup` and `sedge restore` share. */
#pragma once

#include "backup/manifest.h"
#include "codec/json.h"

int backup_failed(const char *command, const struct error *e); /* told; the exit status */
/* Members of the open object. */
void backup_describe(struct json_writer *w, const struct manifest *m);
void backup_print(struct strbuf *b); /* a line; ends the buffer */
