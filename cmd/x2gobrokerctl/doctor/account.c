/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of the broker account, of the programs that sshd starts as that
 * account, and of a user.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/pam_helper.h"
#include "findings.h"

#define DAY		(24 * 60 * 60)

static int
copy_account(struct doctor_account *account, const struct passwd *pw)
{
	account->name = strdup(pw->pw_name);
	account->home = strdup(pw->pw_dir);
	account->shell = strdup(*pw->pw_shell != '\0' ? pw->pw_shell :
	    "/bin/sh");
	account->uid = pw->pw_uid;
	account->gid = pw->pw_gid;
	return account->name != NULL && account->home != NULL &&
	    account->shell != NULL ? 0 : -1;
}

/* sshd starts every command with the shell. */
static void
check_shell(struct doctor *d, const struct doctor_account *account)
{
	const char *name = strrchr(account->shell, '/');
	struct stat st;

	name = name != NULL ? name + 1 : account->shell;
	if (strcmp(name, "nologin") != 0 && strcmp(name, "false") != 0 &&
	    stat(account->shell, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & 0111) != 0)
		return;
	doctor_fail(d, account->name, "sshd starts the broker with the "
	    "shell of the account, and %s runs nothing", account->shell);
	doctor_remedy(d, "usermod --shell /bin/sh %s", account->name);
}

/* No account is needed if all users log in under their own and no server is
 * polled over SSH. */
static void
report_no_account(struct doctor *d, const char *name)
{
	if (d->key_files > 0 || (d->profiles != NULL &&
	    doctor_has_servers(d, true)))
		doctor_fail(d, name, "there is no such account, but the keys "
		    "of users or the service keys need it");
	else
		doctor_warn(d, name, "there is no such account, so only users "
		    "with accounts of their own can reach the broker");
	doctor_remedy(d, "x2gobrokerctl setup --shared creates it; or change "
	    "broker-account in x2gobroker.conf");
}

void
check_account(struct doctor *d)
{
	const char *name = x2gobroker_config_broker_account(d->config);
	const struct passwd *pw;

	if ((pw = getpwnam(name)) == NULL) {
		report_no_account(d, name);
		return;
	}
	if (pw->pw_uid == 0) {
		doctor_fail(d, name, "the broker account must not be root");
		doctor_remedy(d, "change broker-account in x2gobroker.conf");
		return;
	}
	if (copy_account(&d->account, pw) == -1)
		doctor_fail(d, name, "out of memory");
	else
		check_shell(d, &d->account);
}

/*
 * shadow(5)
 */

static void
check_expiry(struct doctor *d, const struct spwd *entry)
{
	long today = (long)(time(NULL) / DAY);

	if (entry->sp_expire > 0 && entry->sp_expire <= today) {
		doctor_fail(d, entry->sp_namp, "the account has expired");
		doctor_remedy(d, "chage -E -1 %s", entry->sp_namp);
	} else if (entry->sp_lstchg == 0 || (entry->sp_max >= 0 &&
	    entry->sp_lstchg > 0 && entry->sp_lstchg + entry->sp_max < today)) {
		doctor_fail(d, entry->sp_namp, "the password has expired, so "
		    "sshd asks for a new one and does not start the broker");
		doctor_remedy(d, "chage -d %ld -M -1 %s", today,
		    entry->sp_namp);
	}
}

/* Without PAM, sshd itself checks for the "!". */
void
check_account_locked(struct doctor *d)
{
	const struct spwd *entry = getspnam(d->account.name);

	if (entry == NULL)
		return;		/* not every source of accounts has these */
	if (entry->sp_pwdp[0] == '!' &&
	    sshd_query_is(&d->sshd, "UsePAM", "no")) {
		doctor_fail(d, d->account.name, "its password field begins "
		    "with \"!\": for sshd without PAM, the account is locked");
		doctor_remedy(d, "usermod --password '*' %s", d->account.name);
		return;
	}
	check_expiry(d, entry);
}

/*
 * Programs, as the broker account
 */

void
check_program(struct doctor *d)
{
	static const char path[] = X2GOBROKER_PROGRAM;
	struct x2gobroker_error err;

	if (x2gobroker_path_check(path, &err) == -1 &&
	    err.code != X2GOBROKER_ERR_SYSTEM) {
		doctor_fail_error(d, path, &err);
		doctor_remedy(d, "install it again");
	} else if (eaccess(path, X_OK) == -1) {
		doctor_fail(d, path, "%s cannot run it: %s",
		    d->account.name, strerror(errno));
		doctor_remedy(d, "chmod 755 %s", path);
	} else
		doctor_ok(d, path, "can be run");
}

/* They can start the helper, which refuses them; and they may read what was
 * meant for the account alone. */
static void
check_members(struct doctor *d, const char *path, gid_t gid)
{
	const struct group *group = getgrgid(gid);

	if (group == NULL || group->gr_mem[0] == NULL)
		return;
	doctor_warn(d, path, "its group %s has other members, the first is %s",
	    group->gr_name, group->gr_mem[0]);
	doctor_remedy(d, "gpasswd -d %s %s", group->gr_mem[0], group->gr_name);
}

static void
check_helper(struct doctor *d, const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1) {
		doctor_fail(d, path, "%s, so accounts cannot be "
		    "checked", strerror(errno));
		doctor_remedy(d, "install it, or set account-check = never "
		    "in x2gobroker.conf");
		return;
	}
	if (st.st_uid != 0 || (st.st_mode & S_ISUID) == 0)
		doctor_fail(d, path, "is not setuid root");
	else if (eaccess(path, X_OK) == -1)
		doctor_fail(d, path, "%s may not run it", d->account.name);
	else if ((st.st_mode & S_IXOTH) != 0)
		doctor_warn(d, path, "everybody may run it");
	else if (st.st_gid != d->account.gid)
		doctor_fail(d, path, "its group is not the primary group of "
		    "%s, so it refuses", d->account.name);
	else {
		check_members(d, path, st.st_gid);
		return;
	}
	doctor_remedy(d, "chown root:%u %s; chmod 4750 %s",
	    (unsigned int)d->account.gid, path, path);
}

static bool
needs_pam(const struct doctor *d)
{
	return x2gobroker_config_check_account(d->config, true) ||
	    x2gobroker_config_allow_password_change(d->config);
}

void
check_pam(struct doctor *d)
{
	if (!needs_pam(d)) {
		doctor_ok(d, "", "not needed: account-check = never");
		return;
	}
	check_helper(d, x2gobroker_config_pam_helper(d->config));
	if (access(PAM_FILE, F_OK) == 0)
		return;
	doctor_fail(d, PAM_FILE, "does not exist, so PAM refuses everybody");
	doctor_remedy(d, "install contrib/pam.d/x2gobroker there; see "
	    "x2gobroker-pam(8)");
}

/* As the broker does, but without an address of the client. */
void
check_user_pam(struct doctor *d)
{
	const char *path = x2gobroker_config_pam_helper(d->config);
	const char *user = d->ctl->user;
	struct x2gobroker_error err;

	if (!x2gobroker_config_check_account(d->config, true)) {
		doctor_ok(d, user, "not checked: account-check = never");
		return;
	}
	if (pam_helper_check(path, user, NULL, &err) == 0)
		return;
	doctor_fail(d, user, "%s: %s", err.code == X2GOBROKER_ERR_DENIED ?
	    "refused" : "cannot be checked", err.text);
	doctor_remedy(d, "fix the account, or " PAM_FILE);
}

void
check_user_profiles(struct doctor *d)
{
	const struct x2gobroker_profile *profile;
	struct x2gobroker_user *user;
	struct x2gobroker_error err;
	size_t i, n = 0;

	if (x2gobroker_user_new(d->ctl->user, NULL, &user, &err) == -1) {
		doctor_fail_error(d, d->ctl->user, &err);
		return;
	}
	for (i = 0; (profile = x2gobroker_profiles_get(d->profiles, i)) !=
	    NULL; i++)
		n += x2gobroker_acl_check(profile, user, NULL) ==
		    X2GOBROKER_ALLOW;
	x2gobroker_user_free(user);
	if (getpwnam(d->ctl->user) == NULL) {
		doctor_fail(d, d->ctl->user, "there is no such account here, "
		    "so the broker refuses it");
		doctor_remedy(d, "use an account that getent passwd lists");
	} else if (n == 0) {
		doctor_warn(d, d->ctl->user, "sees none of %zu profiles from "
		    "an unknown address", i);
		doctor_remedy(d, "x2gobrokerctl explain PROFILE --as %s",
		    d->ctl->user);
	} else
		doctor_ok(d, d->ctl->user, "sees %zu of %zu profiles from an "
		    "unknown address", n, i);
}

/*
 * A broker that runs as the user: a child process becomes that user
 */

/* In memory that both processes share. */
struct user_report {
	size_t profiles;
	bool loaded, can_start;
	struct x2gobroker_error error;	/* the first one */
};

static void
keep_first(void *arg, const struct x2gobroker_error *problem)
{
	struct user_report *report = arg;

	if (problem->code != X2GOBROKER_WARNING &&
	    report->error.code == X2GOBROKER_OK)
		report->error = *problem;
}

static void
load_all(const char *config_file, struct user_report *report)
{
	struct x2gobroker_config *config;
	struct x2gobroker_profiles *profiles;

	if (x2gobroker_config_load(config_file, keep_first, report, &config,
	    NULL) == -1 || x2gobroker_profiles_load(config, keep_first, report,
	    &profiles, NULL) == -1)
		return;		/* the process ends soon */
	report->loaded = true;
	report->profiles = x2gobroker_profiles_count(profiles);
}

/* False: the child did not report. */
static bool
ask_child(const struct doctor *d, const struct passwd *pw,
    struct user_report *report)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (ctl_become(pw) == -1)
			_exit(1);
		load_all(d->ctl->config_file, report);
		report->can_start = access(X2GOBROKER_PROGRAM, X_OK) == 0;
		_exit(0);
	}
	while (pid != -1 && waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return false;
	return pid != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
check_report(struct doctor *d, const struct user_report *report)
{
	const char *user = d->ctl->user;

	if (!report->can_start) {
		doctor_fail(d, X2GOBROKER_PROGRAM, "%s cannot run it", user);
		doctor_remedy(d, "chmod 755 " X2GOBROKER_PROGRAM);
	} else if (report->loaded && (d->profiles == NULL ||
	    report->profiles >= x2gobroker_profiles_count(d->profiles)))
		doctor_ok(d, user, "%zu profiles can be read",
		    report->profiles);
	else {
		doctor_fail_error(d, user, &report->error);
		doctor_remedy(d, "files must belong to root, with mode 644, in "
		    "directories with mode 755");
	}
}

void
check_user_files(struct doctor *d)
{
	const struct passwd *pw = getpwnam(d->ctl->user);
	struct user_report *report;

	if (!d->forced || pw == NULL) {
		doctor_ok(d, d->ctl->user, "not needed: no broker runs as the "
		    "user");
		return;
	}
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED || pw->pw_uid == 0 ||
	    !ask_child(d, pw, report))
		doctor_fail(d, d->ctl->user, "cannot start a process as that "
		    "user");
	else
		check_report(d, report);
	if (report != MAP_FAILED)
		munmap(report, sizeof(*report));
}
