/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A service file of the session database: what is taken of it is one service, with
 * known keys, each once, whose values are plain text. */
#include "fuzz_dir.h"

#include "../../cmd/common/dbservice.c"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *files[DBSERVICE_FILES_MAX + 1];
	struct x2gobroker_error err = { .text = "" };
	struct dbservice service = { .n = 0 };
	const char *path = fuzz_path("pg_service.conf");
	int result;
	size_t i;

	fuzz_write("pg_service.conf", (const char *)data, size);
	result = dbservice_read(path, "farm", &service, &err);
	must(result == 0 || err.text[0] != '\0');
	must(service.n <= DBSERVICE_KEYS_MAX);
	for (i = 0; i < service.n; i++) {
		must(is_allowed(service.keys[i]));
		must(!has_controls(service.values[i]));
		must(dbservice_value(&service, service.keys[i]) ==
		    service.values[i]);
	}
	dbservice_files(&service, files);
	for (i = 0; files[i] != NULL; i++)
		must(i < DBSERVICE_FILES_MAX);
	dbservice_free(&service);
	must(service.n == 0);
	return 0;
}
