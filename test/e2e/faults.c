/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loaded before a program's libraries (LD_PRELOAD), this makes memory run out
 * and lets reads and writes do less than they were asked to.
 *
 *	FAULTS_ALLOCATION	the number of the allocation that fails, from 1
 *	FAULTS_LATER		if it is there, all behind that one fail, too
 *	FAULTS_COUNT		a file of 24 bytes: how many there were, written
 *				while they are made; how many when the first
 *				name was looked up, and when that came back
 *	FAULTS_BYTES		what a read or a write moves at most
 *	FAULTS_EINTR		if it is there, each second one is interrupted
 *
 * A process that dies of it says on stderr in whose code: "dies in" and the
 * files of all functions that were called, the last one first.
 *
 * What libc allocates for itself, in getline(3) or getaddrinfo(3) for example,
 * comes by here, too.  Its own reads and writes do not, so that streams are
 * replaced by some that read through this file.
 */
/* else the names below would not be those that they look like */
#undef _FILE_OFFSET_BITS
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAMES_MAX	64
#define NEXT(name)	((__typeof__(&name))dlsym(RTLD_NEXT, #name))

extern char **environ;

void	*__libc_malloc(size_t size);
void	*__libc_calloc(size_t n, size_t size);
void	*__libc_realloc(void *p, size_t size);
void	*__libc_memalign(size_t alignment, size_t size);

/* The environment is read at the first use: the program empties it, and libc
 * allocates before any constructor runs. */
static atomic_bool is_read;
static long failing, bytes;
static bool later, interrupts;
static atomic_long *count, own_counts[3];
static atomic_uint calls;

static long
number_of(const char *name)
{
	const char *text = getenv(name);

	return text != NULL ? strtol(text, NULL, 10) : 0;
}

/* Shared memory, as the program closes what is open and may not open more. */
static void
map_count(const char *path)
{
	void *p;
	int fd;

	if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) == -1)
		return;
	p = mmap(NULL, sizeof(own_counts), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	if (p != MAP_FAILED)
		count = p;
	close(fd);
}

static bool
read_environment(void)
{
	if (atomic_load(&is_read))
		return true;
	if (environ == NULL)
		return false;	/* not even libc is ready */
	failing = number_of("FAULTS_ALLOCATION");
	later = getenv("FAULTS_LATER") != NULL;
	bytes = number_of("FAULTS_BYTES");
	interrupts = getenv("FAULTS_EINTR") != NULL;
	count = own_counts;
	map_count(getenv("FAULTS_COUNT"));
	atomic_store(&is_read, true);
	return true;
}

/*
 * Signals
 */

static void
say(const char *text)
{
	ssize_t n __attribute__((unused));

	n = NEXT(write)(STDERR_FILENO, text, strlen(text));
}

static void
die(int sig)
{
	void *frames[FRAMES_MAX];
	int i, n = backtrace(frames, FRAMES_MAX);
	const char *slash;
	Dl_info info;

	say("dies in");
	for (i = 2; i < n; i++) {	/* behind this, and the kernel's own */
		if (dladdr(frames[i], &info) == 0)
			continue;
		slash = strrchr(info.dli_fname, '/');
		say(" ");
		say(slash != NULL ? slash + 1 : info.dli_fname);
	}
	say("\n");
	NEXT(signal)(sig, SIG_DFL);
	raise(sig);
}

/* The program sets all to the default at its start. */
sighandler_t
signal(int sig, sighandler_t handler)
{
	return sig == SIGSEGV ? SIG_DFL : NEXT(signal)(sig, handler);
}

/* And blocks them all in its threads. */
int
pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t most;

	if (set == NULL)
		return NEXT(pthread_sigmask)(how, set, old);
	most = *set;
	if (how != SIG_UNBLOCK)
		sigdelset(&most, SIGSEGV);
	return NEXT(pthread_sigmask)(how, &most, old);
}

static void __attribute__((constructor))
start(void)
{
	void *frame;

	read_environment();
	backtrace(&frame, 1);	/* loads what it needs for that */
	NEXT(signal)(SIGSEGV, die);
}

/*
 * Allocations
 */

static bool
must_fail(void)
{
	long n;

	if (!read_environment())
		return false;
	n = atomic_fetch_add(count, 1) + 1;
	if (failing == 0 || (n != failing && !(later && n > failing)))
		return false;
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t size)
{
	return must_fail() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return must_fail() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	return must_fail() ? NULL : __libc_realloc(p, size);
}

void *
memalign(size_t alignment, size_t size)
{
	return must_fail() ? NULL : __libc_memalign(alignment, size);
}

void *
aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int
posix_memalign(void **out, size_t alignment, size_t size)
{
	void *p = memalign(alignment, size);

	if (p == NULL)
		return ENOMEM;
	*out = p;
	return 0;
}

/*
 * Names
 */

static void
note(int i)
{
	if (count[i] == 0)
		count[i] = atomic_load(count);
}

struct passwd *
getpwuid(uid_t uid)
{
	struct passwd *pw;

	note(1);
	pw = NEXT(getpwuid)(uid);
	note(2);
	return pw;
}

struct passwd *
getpwnam(const char *name)
{
	struct passwd *pw;

	note(1);
	pw = NEXT(getpwnam)(name);
	note(2);
	return pw;
}

/*
 * Reads and writes
 */

static bool
is_interrupted(void)
{
	if (!interrupts || atomic_fetch_add(&calls, 1) % 2 != 0)
		return false;
	errno = EINTR;
	return true;
}

static size_t
shortened(size_t size)
{
	return bytes > 0 && size > (size_t)bytes ? (size_t)bytes : size;
}

ssize_t
read(int fd, void *buf, size_t size)
{
	return is_interrupted() ? -1 : NEXT(read)(fd, buf, shortened(size));
}

ssize_t
pread(int fd, void *buf, size_t size, off_t offset)
{
	return is_interrupted() ? -1 :
	    NEXT(pread)(fd, buf, shortened(size), offset);
}

ssize_t
pread64(int fd, void *buf, size_t size, off64_t offset)
{
	return pread(fd, buf, size, offset);
}

/* Sockets that do not block are not interrupted either. */
ssize_t
recv(int fd, void *buf, size_t size, int flags)
{
	return NEXT(recv)(fd, buf, shortened(size), flags);
}

ssize_t
write(int fd, const void *buf, size_t size)
{
	return is_interrupted() ? -1 : NEXT(write)(fd, buf, shortened(size));
}

ssize_t
writev(int fd, const struct iovec *vec, int n)
{
	if (bytes > 0 && n > 0)
		return write(fd, vec[0].iov_base, vec[0].iov_len);
	return is_interrupted() ? -1 : NEXT(writev)(fd, vec, n);
}

ssize_t
send(int fd, const void *buf, size_t size, int flags)
{
	return NEXT(send)(fd, buf, shortened(size), flags);
}

/*
 * Streams
 */

#define NSTREAMS	64

/* the open ones, by their descriptors */
static _Atomic(FILE *) streams[NSTREAMS];

static ssize_t
stream_read(void *arg, char *buf, size_t size)
{
	ssize_t n;

	/* libc takes an interruption for an error, as POSIX has it */
	while ((n = read((int)(intptr_t)arg, buf, size)) == -1 &&
	    errno == EINTR)
		continue;
	return n;
}

static int
stream_close(void *arg)
{
	int fd = (int)(intptr_t)arg;

	if (fd < NSTREAMS)
		atomic_store(&streams[fd], NULL);
	return close(fd);
}

static FILE *
stream(int fd, const char *mode)
{
	const cookie_io_functions_t functions = {
		.read = stream_read, .close = stream_close,
	};
	FILE *fp = fopencookie((void *)(intptr_t)fd, mode, functions);

	if (fd < NSTREAMS)
		atomic_store(&streams[fd], fp);
	return fp;
}

/* For libc these streams have no descriptor. */
int
fileno(FILE *fp)
{
	int fd;

	for (fd = 0; fd < NSTREAMS; fd++)
		if (atomic_load(&streams[fd]) == fp)
			return fd;
	return NEXT(fileno)(fp);
}

FILE *
fdopen(int fd, const char *mode)
{
	if (bytes == 0 || mode[0] != 'r')
		return NEXT(fdopen)(fd, mode);
	return stream(fd, mode);
}

FILE *
fopen(const char *path, const char *mode)
{
	FILE *fp;
	int fd;

	if (bytes == 0 || mode[0] != 'r')
		return NEXT(fopen)(path, mode);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return NULL;
	if ((fp = stream(fd, mode)) == NULL)
		close(fd);
	return fp;
}

FILE *
fopen64(const char *path, const char *mode)
{
	return fopen(path, mode);
}
