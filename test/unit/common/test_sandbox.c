/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a child of the library can still do in its sandbox, and what it cannot; and that
 * privilege which was dropped stays away.  Each row is tried in a child of its
 * own, as there is no way back.
 */
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <linux/capability.h>
#include <linux/securebits.h>
#include <netinet/in.h>

#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "../../../cmd/common/priv.c"
#include "../../../cmd/common/sandbox.c"
#include "support.h"

#define SANDBOX_LANDLOCK	2
#define SANDBOX_SECCOMP		4

#define ACCOUNT		65534	/* nobody's uid nearly everywhere */
#define OTHER		12345
#define DIED		99	/* exit status: priv_die was called */
#define STRANGE		98	/* exit status: no errno tells why */
#define BIG		(10 * 1024 * 1024)

static const struct sockaddr_in tcp = {
	.sin_family = AF_INET, .sin_port = 0x900,	/* nobody is there */
	.sin_addr = { .s_addr = 0x100007f },
};
static char *const no_words[] = { NULL };

/* Opened before the sandbox is entered. */
static int file = -1, unconnected = -1, connected[2] = { -1, -1 };
static FILE *stream;
static int broken = -1;		/* a pipe that nobody reads */
static volatile sig_atomic_t nsignals;
static struct sockaddr_un abstract = { AF_UNIX };	/* our parent's */
static socklen_t abstract_len = sizeof(abstract);
static char *code;		/* a page */

/* Say in a child's name that something is not so. */
static int
strange(void)
{
	errno = STRANGE;
	return -1;
}

/*
 * What is tried.  All return 0, or -1 with errno set.
 */

static int
try_open(void)
{
	return open("/dev/null", O_RDONLY);
}

static int
try_open_to_write(void)
{
	return open("/dev/null", O_WRONLY);
}

static int
try_known_hosts(void)
{
	return open(test_path("known"), O_RDONLY);
}

static int
try_other_file(void)
{
	return open(test_path("old"), O_RDONLY);
}

static void *
do_nothing(void *arg)
{
	return arg;
}

static int
try_thread(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, do_nothing, NULL);
	return errno == 0 && pthread_join(thread, NULL) == 0 ? 0 : -1;
}

/* The files and modules of the resolver can be read, and its sockets made. */
static int
try_resolve(void)
{
	struct addrinfo *list;

	return getaddrinfo("localhost", "22", NULL, &list) == 0 ? 0 :
	    strange();
}

static int
try_openat2(void)
{
	uint64_t how[3] = { O_RDONLY };

	return (int)syscall(437, AT_FDCWD, "/dev/null", how, sizeof(how));
}

static int
try_create(void)
{
	return open(test_path("new"), O_WRONLY | O_CREAT, 0600);
}

static int
try_list(void)
{
	return open("/", O_RDONLY | O_DIRECTORY);
}

static int
try_mkfifo(void)
{
	return mkfifo(test_path("new"), 0600);
}

static int
try_make_socket(void)
{
	return mknod(test_path("new"), S_IFSOCK | 0600, 0);
}

static int
try_make_file(void)
{
	return mknod(test_path("new"), S_IFREG | 0600, 0);
}

static int
try_make_character_device(void)
{
	return mknod(test_path("new"), S_IFCHR | 0600, 0x103);
}

static int
try_make_block_device(void)
{
	return mknod(test_path("new"), S_IFBLK | 0600, 0x700);
}

static int
try_rmdir(void)
{
	return rmdir(test_path("empty"));
}

static int
try_truncate(void)
{
	return truncate(test_path("old"), 0);
}

static int
try_mkdir(void)
{
	return mkdir(test_path("dir"), 0700);
}

static int
try_unlink(void)
{
	return unlink(test_path("old"));
}

static int
try_symlink(void)
{
	return symlink("a", test_path("link"));
}

static int
try_chmod(void)
{
	return chmod(test_path("old"), 0777);
}

static int
try_stat(void)
{
	struct stat st;

	return stat("/etc/passwd", &st);
}

static int
try_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0);
}

static int
try_connect(void)
{
	return connect(unconnected, (const struct sockaddr *)&tcp,
	    sizeof(tcp));
}

static int
try_bind(void)
{
	return bind(unconnected, (const struct sockaddr *)&tcp, sizeof(tcp));
}

static int
try_abstract_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	return connect(fd, (const struct sockaddr *)&abstract, abstract_len);
}

static int
try_send(void)
{
	return send(connected[0], "x", 1, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

static int
try_send_to_somebody(void)
{
	return sendto(connected[0], "x", 1, MSG_DONTWAIT,
	    (const struct sockaddr *)&abstract, abstract_len) == 1 ? 0 : -1;
}

static int
try_pass_descriptor(void)
{
	struct msghdr message = { 0 };

	return (int)sendmsg(connected[0], &message, MSG_NOSIGNAL);
}

static int
try_execve(void)
{
	return execve("/bin/true", no_words, no_words);
}

static int
try_execveat(void)
{
	return (int)syscall(SYS_execveat, file, "", no_words, no_words,
	    AT_EMPTY_PATH);
}

static int
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid == -1 ? -1 : 0;
}

static int
try_clone(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return pid == -1 ? -1 : 0;
}

static int
try_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

static int
try_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1 ? -1 : 0;
}

static int
try_read_memory(void)
{
	char byte;
	struct iovec mine = { &byte, 1 }, theirs = { &byte, 1 };

	return (int)process_vm_readv(getppid(), &mine, 1, &theirs, 1, 0);
}

static int
try_write_memory(void)
{
	char byte = 0;
	struct iovec mine = { &byte, 1 }, theirs = { &byte, 1 };

	return (int)process_vm_writev(getppid(), &mine, 1, &theirs, 1, 0);
}

static int
try_kill_parent(void)
{
	return kill(getppid(), 0);
}

static int
try_kill_everybody(void)
{
	return kill(-1, 0);
}

static int
try_tgkill(void)
{
	return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static int
try_setuid(void)
{
	return setuid(getuid());
}

static int
try_prctl(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int
try_limit(void)
{
	const struct rlimit limit = { 100, 100 };

	return setrlimit(RLIMIT_NOFILE, &limit);
}

static int
try_read(void)
{
	char byte;

	return (int)read(file, &byte, 1);
}

static int
try_ioctl(void)
{
	int n;

	return ioctl(connected[0], FIONREAD, &n);
}

static int
try_make_code(void)
{
	return mprotect(code, 4096, PROT_READ | PROT_EXEC);
}

static int
try_protect(void)
{
	return mprotect(code, 4096, PROT_READ);
}

static int
try_write(void)
{
	struct iovec iov[] = { { code, 1 }, { code, 1 } };

	return write(file, "x", 1) == 1 && writev(file, iov, 2) == 2 ? 0 : -1;
}

static int
try_stdout(void)
{
	/* its first use asks what it is */
	return fprintf(stream, "%s %.1f", "text", 0.5) > 0 &&
	    fclose(stream) == 0 ? 0 : -1;
}

static int
try_memory(void)
{
	char *p = malloc(BIG), *more;

	if (p == NULL)
		return -1;
	memset(p, 'x', BIG);
	if ((more = realloc(p, 3 * (size_t)BIG)) == NULL)
		return -1;
	memset(more, 'y', 3 * (size_t)BIG);
	free(more);
	return 0;
}

static int
try_small_memory(void)
{
	size_t i;

	for (i = 0; i < 100000; i++)
		if (malloc(100) == NULL)
			return -1;
	return 0;
}

/* What a line of the log needs. */
static int
try_time(void)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[32];
	struct timespec ts;

	return localtime_r(&now, &tm) != NULL &&
	    strftime(text, sizeof(text), "%FT%T%z", &tm) > 0 &&
	    clock_gettime(CLOCK_MONOTONIC, &ts) == 0 &&
	    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts) == 0 &&
	    getpid() > 0 && strerror(EPERM) != NULL ? 0 : strange();
}

static void
count_signal(int sig unused)
{
	nsignals++;
}

/* A handler must be able to return. */
static int
try_signal(void)
{
	sigset_t none;

	sigemptyset(&none);
	if (signal(SIGPIPE, count_signal) == SIG_ERR ||
	    sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		return -1;
	return write(broken, "x", 1) == -1 && errno == EPIPE &&
	    nsignals == 1 ? 0 : strange();
}

/* Calls that libc may do well without here, made with such arguments that they
 * fail for another reason. */
static int
try_rest(void)
{
	static const long numbers[] = { SYS_fstat, SYS_lseek, SYS_mmap,
	    SYS_mremap, SYS_munmap, SYS_madvise, SYS_futex, SYS_getrandom,
	    SYS_gettimeofday, SYS_gettid, SYS_restart_syscall };
	size_t i;

	for (i = 0; i < LENGTH(numbers); i++)
		if (syscall(numbers[i], -1L, 1L, 0L, 0L, -1L, 1L) == -1 &&
		    errno == EPERM)
			return -1;
	return 0;
}

/* It must end the process even if it cannot send the signal. */
static int
try_abort(void)
{
	abort();
}

#ifdef __x86_64__
static int
try_x32(void)
{
	return (int)syscall(0x40000000 + SYS_getpid);
}

/* getpid(2) of a 32-bit program; a kernel without those ends us as well */
static int
try_i386(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
	return result < 0 ? -1 : 0;
}
#endif

/*
 * Rows
 */

enum { ENDS = -1, KILLED = -2 };	/* by a signal; by SIGSYS */

struct row {
	const char *label;
	int (*try)(void);
	int result;		/* 0: it works; an errno value; or above */
	int since;		/* version of Landlock */
};

static const struct row seccomp_rows[] = {
	{ "openat2", try_openat2, ENOSYS },
	{ "truncate", try_truncate, ENOSYS },
	{ "mkdir", try_mkdir, ENOSYS },
	{ "unlink", try_unlink, ENOSYS },
	{ "symlink", try_symlink, ENOSYS },
	{ "chmod", try_chmod, ENOSYS },
	{ "fork", try_fork, EPERM },
	{ "clone", try_clone, EPERM },
	{ "unshare", try_unshare, ENOSYS },
	{ "kill the parent", try_kill_parent, ENOSYS },
	{ "kill everybody", try_kill_everybody, ENOSYS },
	{ "tgkill", try_tgkill, ENOSYS },
	{ "setuid", try_setuid, ENOSYS },
	{ "prctl", try_prctl, ENOSYS },
	{ "setrlimit", try_limit, ENOSYS },
	{ "make code", try_make_code, EPERM },
	{ "execve", try_execve, KILLED },
	{ "execveat", try_execveat, KILLED },
	{ "ptrace", try_ptrace, KILLED },
	{ "process_vm_readv", try_read_memory, KILLED },
	{ "process_vm_writev", try_write_memory, KILLED },
#ifdef __x86_64__
	{ "x32", try_x32, KILLED },
	{ "i386", try_i386, ENDS },
#endif
	{ "abort", try_abort, ENDS },
	{ "read a file of the resolver", try_stat, 0 },
	{ "read the known hosts", try_known_hosts, 0 },
	{ "a thread", try_thread, 0 },
	{ "a name", try_resolve, 0 },
	{ "read", try_read, 0 },
	{ "ioctl", try_ioctl, 0 },
	{ "socket", try_socket, 0 },
	{ "connect", try_connect, ECONNREFUSED },
	{ "write", try_write, 0 },
	{ "stdio", try_stdout, 0 },
	{ "malloc of 10 MB", try_memory, 0 },
	{ "malloc of little", try_small_memory, 0 },
	{ "mprotect", try_protect, 0 },
	{ "send", try_send, 0 },
	{ "time", try_time, 0 },
	{ "signals", try_signal, 0 },
	{ "the rest", try_rest, 0 },
};

static const struct row landlock_rows[] = {
	{ "open", try_open, 0, 1 },
	{ "open a file of others", try_other_file, EACCES, 1 },
	{ "open to write", try_open_to_write, EACCES, 1 },
	{ "create", try_create, EACCES, 1 },
	{ "list", try_list, EACCES, 1 },
	{ "mkdir", try_mkdir, EACCES, 1 },
	{ "unlink", try_unlink, EACCES, 1 },
	{ "symlink", try_symlink, EACCES, 1 },
	{ "rmdir", try_rmdir, EACCES, 1 },
	{ "make a file", try_make_file, EACCES, 1 },
	{ "make a FIFO", try_mkfifo, EACCES, 1 },
	{ "make a socket", try_make_socket, EACCES, 1 },
	{ "make /dev/null", try_make_character_device, EACCES, 1 },
	{ "make a disk", try_make_block_device, EACCES, 1 },
	{ "execve", try_execve, EACCES, 1 },
	{ "truncate", try_truncate, EACCES, 3 },
	{ "connect", try_connect, ECONNREFUSED, 4 },
	{ "bind", try_bind, EACCES, 4 },
	{ "an abstract socket", try_abstract_socket, EPERM, 6 },
	{ "kill the parent", try_kill_parent, EPERM, 6 },
	{ "read the known hosts", try_known_hosts, 0, 1 },
	{ "a name", try_resolve, 0, 1 },
	{ "write", try_write, 0, 1 },
	{ "malloc of 10 MB", try_memory, 0, 1 },
	{ "send", try_send, 0, 1 },
};

/* None of them must fail for a reason of its own. */
static const struct row free_rows[] = {
	{ "open", try_open, 0 },
	{ "open to write", try_open_to_write, 0 },
	{ "create", try_create, 0 },
	{ "list", try_list, 0 },
	{ "truncate", try_truncate, 0 },
	{ "mkdir", try_mkdir, 0 },
	{ "rmdir", try_rmdir, 0 },
	{ "make a file", try_make_file, 0 },
	{ "make a FIFO", try_mkfifo, 0 },
	{ "make a socket", try_make_socket, 0 },
	{ "symlink", try_symlink, 0 },
	{ "chmod", try_chmod, 0 },
	{ "stat", try_stat, 0 },
	{ "ioctl", try_ioctl, 0 },
	{ "socket", try_socket, 0 },
	{ "connect", try_connect, ECONNREFUSED },
	{ "an abstract socket", try_abstract_socket, 0 },
	{ "sendto, with an address", try_send_to_somebody, 0 },
	{ "sendmsg", try_pass_descriptor, 0 },
	{ "execve", try_execve, 0 },
	{ "fork", try_fork, 0 },
	{ "clone", try_clone, 0 },
	{ "ptrace", try_ptrace, 0 },
	{ "kill the parent", try_kill_parent, 0 },
	{ "tgkill", try_tgkill, 0 },
	{ "setuid", try_setuid, 0 },
	{ "prctl", try_prctl, 0 },
	{ "setrlimit", try_limit, 0 },
	{ "make code", try_make_code, 0 },
	{ "unlink", try_unlink, 0 },
};

/* Without a core, and without cmocka, which catches some signals. */
static void
prepare_to_die(void)
{
	const struct rlimit none = { 0, 0 };
	int sig;

	setrlimit(RLIMIT_CORE, &none);
	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
}

/* The wait status of a child that has entered and then tried. */
static int
run(unsigned int (*enter)(void), int (*try)(void))
{
	int status;
	pid_t pid;

	if ((pid = fork()) == 0) {
		prepare_to_die();
		if (enter != NULL)
			enter();
		_exit(try() != -1 ? 0 : errno);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool
is_as_said(int status, int result)
{
	if (result == ENDS)
		return WIFSIGNALED(status);
	if (result == KILLED)
		return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
	return WIFEXITED(status) && WEXITSTATUS(status) == result;
}

static void
check_rows(unsigned int (*enter)(void), const struct row *rows, size_t n,
    long version)
{
	size_t i;
	int status;

	for (i = 0; i < n; i++) {
		if (rows[i].since > version)
			continue;
		write_file("old", "text");
		write_file("known", "text");
		mkdir(test_path("empty"), 0700);
		status = run(enter, rows[i].try);
		rmdir(test_path("dir"));
		unlink(test_path("link"));
		unlink(test_path("new"));
		if (!is_as_said(status, rows[i].result))
			fail_msg("[%s] wait status %#x instead of result %d",
			    rows[i].label, (unsigned int)status,
			    rows[i].result);
	}
}

/*
 * What this kernel has, asked without entering anything
 */

static long
landlock_version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    RULESET_VERSION);
}

static unsigned int
available_parts(void)
{
	uint32_t action unused = SECCOMP_RET_KILL_PROCESS;
	unsigned int parts = 0;

	if (SANITIZED)
		return 0;
	if (landlock_version() >= 1)
		parts |= SANDBOX_LANDLOCK;
#ifdef ARCH
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		parts |= SANDBOX_SECCOMP;
#endif
	return parts;
}

static unsigned int
enter_landlock_alone(void)
{
	const char *const files[] = { test_path("known"), NULL };

	priv_no_new_privs();
	return enter_landlock(files);
}

/* What was missing, as bits. */
static unsigned int
enter_all(void)
{
	const char *const files[] = { test_path("known"), NULL };
	const char *missing = sandbox_enter(files);

	return (strstr(missing, "Landlock") != NULL ? SANDBOX_LANDLOCK : 0) |
	    (strstr(missing, "seccomp") != NULL ? SANDBOX_SECCOMP : 0);
}

/* The mask as an exit status, by way of errno. */
static int
try_enter(void)
{
	errno = (int)enter_all() + 1;
	return -1;
}

/* Without a name, the kernel chooses one. */
static int
listen_abstract(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (fd == -1 || bind(fd, (const struct sockaddr *)&abstract,
	    sizeof(abstract.sun_family)) == -1)
		return -1;
	return getsockname(fd, (struct sockaddr *)&abstract, &abstract_len);
}

static int
open_all(void **state)
{
	int fds[2];

	if (make_test_dir(state) != 0)
		return -1;
	file = open(test_path("file"), O_RDWR | O_CREAT | O_APPEND, 0700);
	unconnected = socket(AF_INET, SOCK_STREAM, 0);
	code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stream = fopen(test_path("stream"), "w");
	tzset();
	if (pipe(fds) == -1)
		return -1;
	close(fds[0]);
	broken = fds[1];
	if (file == -1 || stream == NULL || unconnected == -1 ||
	    code == MAP_FAILED || listen_abstract() == -1)
		return -1;
	return socketpair(AF_UNIX, SOCK_DGRAM, 0, connected);
}

/*
 * The tests
 */

static void
every_part_that_the_kernel_has_is_on(void **state unused)
{
	int status = run(NULL, try_enter);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status) - 1, SANITIZED ? 0 :
	    ~available_parts() & (SANDBOX_LANDLOCK | SANDBOX_SECCOMP));
}

static void
outside_all_that_works(void **state unused)
{
	check_rows(NULL, free_rows, LENGTH(free_rows), 0);
}

static void
inside_it_is_as_the_table_says(void **state unused)
{
	if ((available_parts() & SANDBOX_SECCOMP) == 0)
		skip();
	check_rows(enter_all, seccomp_rows, LENGTH(seccomp_rows), 0);
}

static void
landlock_alone_keeps_files_away(void **state unused)
{
	if ((available_parts() & SANDBOX_LANDLOCK) == 0)
		skip();
	check_rows(enter_landlock_alone, landlock_rows, LENGTH(landlock_rows),
	    landlock_version());
}

/*
 * Privilege
 */

static void
die(const char *why unused)
{
	_exit(DIED);
}

static bool
has_ids(uid_t uid, gid_t gid)
{
	struct ids ids;

	get_ids(&ids, die);
	return are_all(&ids, uid, gid);
}

/* As after execve(2) of a setuid and setgid file: real, effective, saved. */
static int
drop_from(uid_t ruid, uid_t euid, gid_t rgid, gid_t egid)
{
	if (setresgid(rgid, egid, egid) == -1 ||
	    setresuid(ruid, euid, euid) == -1)
		return strange();
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	priv_drop_for_good(die);
	return 0;
}

static int
try_drop(void)
{
	return drop_from(ACCOUNT, OTHER, ACCOUNT, OTHER) == 0 &&
	    has_ids(ACCOUNT, ACCOUNT) &&
	    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
	    setuid(OTHER) == -1 && setgid(OTHER) == -1 ? 0 : strange();
}

static int
try_drop_uid_alone(void)
{
	return drop_from(ACCOUNT, OTHER, ACCOUNT, ACCOUNT) == 0 &&
	    has_ids(ACCOUNT, ACCOUNT) ? 0 : strange();
}

static int
try_drop_gid_alone(void)
{
	return drop_from(ACCOUNT, ACCOUNT, ACCOUNT, OTHER) == 0 &&
	    has_ids(ACCOUNT, ACCOUNT) ? 0 : strange();
}

static int
try_drop_root(void)
{
	return drop_from(ACCOUNT, 0, ACCOUNT, 0) == 0 &&
	    has_ids(ACCOUNT, ACCOUNT) && setuid(0) == -1 ? 0 : strange();
}

/* Root's ids would be more than the setuid file has given. */
static int
try_drop_by_root(void)
{
	return drop_from(0, OTHER, 0, OTHER) == 0 && has_ids(OTHER, OTHER) &&
	    setuid(0) == -1 ? 0 : strange();
}

static int
try_drop_nothing(void)
{
	return drop_from(ACCOUNT, ACCOUNT, OTHER, OTHER) == 0 &&
	    has_ids(ACCOUNT, OTHER) ? 0 : strange();
}

static int
try_drop_nothing_of_root(void)
{
	return drop_from(0, 0, 0, OTHER) == 0 && geteuid() == 0 ? 0 :
	    strange();
}

/* A caller's capability that outlives the change of ids, so that the process
 * could climb back. */
static int
drop_in_vain(unsigned int capability)
{
	struct __user_cap_header_struct header = {
		_LINUX_CAPABILITY_VERSION_3, 0,
	};
	struct __user_cap_data_struct data[2] = {
		{ 1U << capability, 1U << capability, 0 },
	};

	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) == -1 ||
	    setresgid(ACCOUNT, OTHER, OTHER) == -1 ||
	    setresuid(ACCOUNT, OTHER, OTHER) == -1 ||
	    syscall(SYS_capset, &header, data) == -1)
		return strange();
	priv_drop_for_good(die);
	return strange();
}

static int
try_uid_that_comes_back(void)
{
	return drop_in_vain(CAP_SETUID);
}

static int
try_gid_that_comes_back(void)
{
	return drop_in_vain(CAP_SETGID);
}

static void
dropped_privilege_stays_away(void **state unused)
{
	static const struct row rows[] = {
		{ "uid and gid", try_drop, 0 },
		{ "uid", try_drop_uid_alone, 0 },
		{ "gid", try_drop_gid_alone, 0 },
		{ "root's", try_drop_root, 0 },
		{ "root is the caller", try_drop_by_root, 0 },
		{ "nothing gained", try_drop_nothing, 0 },
		{ "nothing gained by root", try_drop_nothing_of_root, 0 },
		{ "the uid would come back", try_uid_that_comes_back, DIED },
		{ "the gid would come back", try_gid_that_comes_back, DIED },
	};

	if (geteuid() != 0)
		skip();		/* who else could take another's ids? */
	check_rows(NULL, rows, LENGTH(rows), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_part_that_the_kernel_has_is_on),
		cmocka_unit_test(outside_all_that_works),
		cmocka_unit_test(inside_it_is_as_the_table_says),
		cmocka_unit_test(landlock_alone_keeps_files_away),
		cmocka_unit_test(dropped_privilege_stays_away),
	};

	return cmocka_run_group_tests(tests, open_all, remove_test_dir);
}
