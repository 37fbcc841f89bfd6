/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The least that a C program can cost: what the broker is measured against.  With
 * the name of a user as its argument it looks up that user's groups, too. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>

#define GROUPS_MAX	64

static int
look_up(const char *name)
{
	const struct passwd *pw = getpwnam(name);
	gid_t gids[GROUPS_MAX];
	int i, n = GROUPS_MAX;

	if (pw == NULL || getgrouplist(name, pw->pw_gid, gids, &n) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (getgrgid(gids[i]) == NULL)
			return -1;
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc > 1 && look_up(argv[1]) == -1)
		return 1;
	puts("Access granted");
	return 0;
}
