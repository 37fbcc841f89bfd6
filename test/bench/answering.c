/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plays x2gobroker-poll with servers that answer at once: reads the order and writes
 * a reply for each query in it (lib/agent/record.h).  So the time of a selection is
 * what it takes without SSH. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORDER_MAX	(1024 * 1024)

int
main(void)
{
	static char order[ORDER_MAX];
	char *field = order, *value, *end;
	size_t len = 0;
	int n = 0;

	/* its size stands before it */
	if (fgets(order, sizeof(order), stdin) != NULL)
		len = strtoul(order, NULL, 10);
	if (len == 0 || len >= sizeof(order) ||
	    fread(order, 1, len, stdin) != len)
		return 1;
	while (field < order + len) {
		if ((value = strchr(field, ' ')) == NULL)
			return 1;
		if (strncmp(field, "query ", 6) == 0) {
			printf("reply %d %d\n", snprintf(NULL, 0, "%d", n), n);
			printf("ms 1 1\nend 0 \n");
			n++;
		}
		/* behind the blank, the value and its newline */
		field = value + strtoul(value, &end, 10);
		field += end - value + 2;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
