/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a tool prints, and behind a form feed what it says on stderr.  We have
 * whole lines of text of it, or nothing and one line that says why.
 */
#include "fuzz_dir.h"

#undef X2GO_BIN
#define X2GO_BIN	"/bin"

#include "../../cmd/x2gobroker-agent/x2gotool.c"

static void
check_text(const struct buf *out, const uint8_t *data, size_t size)
{
	size_t i;

	must(out->len == size + (size > 0 && data[size - 1] != '\n'));
	must(out->len == 0 || out->data[out->len - 1] == '\n');
	for (i = 0; i < out->len; i++)
		must(((unsigned char)out->data[i] >= 0x20 ||
		    out->data[i] == '\n') && out->data[i] != 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char name[] = "alice", home[] = "/", shell[] = "/bin/sh";
	const struct account account = { .name = name, .home = home,
	    .shell = shell };
	const uint8_t *end = size > 0 ? memchr(data, '\f', size) : NULL;
	size_t len = end != NULL ? (size_t)(end - data) : size;
	const char *const args[] = { "-c", end != NULL ?
	    "cat \"$0\"; cat \"$1\" >&2" : "exec cat \"$0\"",
	    fuzz_path("out"), fuzz_path("why"), NULL };
	struct x2gobroker_error err = { 0 };
	struct buf out = { 0 };

	fuzz_write("out", data, len);
	fuzz_write("why", end != NULL ? end + 1 : data,
	    end != NULL ? size - len - 1 : 0);
	if (x2gotool_run("sh", args, &account, &out, &err) == 0)
		check_text(&out, data, len);
	else {
		must(out.len == 0 && err.text[0] != '\0');
		must(strchr(err.text, '\n') == NULL);
		must(end != NULL && memmem(end, size - len, "ERROR:", 6) !=
		    NULL);
	}
	buf_free(&out);
	return 0;
}
