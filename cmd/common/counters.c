/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>

#include <x2gobroker_admin.h>

#include "base/cleanup.h"
#include "base/safefile.h"
#include "common/counters.h"

#define COUNTERS_FILE	"counters"	/* in state-dir */

/* The order is that of the file: add at the end. */
static const char *const tasks[] = {
	COUNTERS_OTHER, "login", "whoami", "testcon", "listsessions",
	"selectsession", "setpass", "clientevent",
};

#define NTASKS		(sizeof(tasks) / sizeof(tasks[0]))
#define NNUMBERS	(NTASKS * 2)	/* refused and granted ones */
#define SIZE		(NNUMBERS * sizeof(uint64_t))

static _Atomic uint64_t *numbers;	/* NULL: nothing is counted */

/* Allocates the blocks of the file: on a full disk, to write to a mapped page
 * without one would be SIGBUS. */
void
counters_open(const struct x2gobroker_config *config)
{
	cleanup_fd int dir = safefile_open_dir(x2gobroker_config_text(config,
	    "global", "state-dir"), 0, NULL);
	cleanup_fd int fd = dir == -1 ? -1 : openat(dir, COUNTERS_FILE, O_RDWR |
	    O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	struct stat st;
	void *map;

	if (fd == -1 || fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    (st.st_size < (off_t)SIZE && posix_fallocate(fd, 0, SIZE) != 0))
		return;
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED)
		numbers = map;
}

void
counters_add(const char *task, bool granted)
{
	size_t i = NTASKS - 1;

	while (i > 0 && (task == NULL || strcmp(tasks[i], task) != 0))
		i--;
	if (numbers != NULL)
		atomic_fetch_add_explicit(&numbers[2 * i + granted], 1,
		    memory_order_relaxed);
}

bool
counters_get(const struct x2gobroker_config *config, size_t i,
    const char **task, bool *granted, uint64_t *number)
{
	if (numbers == NULL)
		counters_open(config);
	if (i >= NNUMBERS)
		return false;
	*task = tasks[i / 2];
	*granted = i % 2 != 0;
	*number = numbers != NULL ? atomic_load(&numbers[i]) : 0;
	return true;
}
