/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tasks of x2gobroker-agent that our broker asks for, by the names that it
 * shares with Debian's (all but "status").
 */
#ifndef AGENT_TASKNAMES_H
#define AGENT_TASKNAMES_H

#define AGENT_AVAILABLETASKS	"availabletasks"
#define AGENT_STATUS		"status"
#define AGENT_LISTSESSIONS	"listsessions"
#define AGENT_CHECKLOAD		"checkload"
#define AGENT_GETSERVERS	"getservers"
#define AGENT_SUSPENDSESSION	"suspendsession"
#define AGENT_TERMINATESESSION	"terminatesession"
#define AGENT_ADDAUTHKEY	"addauthkey"
#define AGENT_DELAUTHKEY	"delauthkey"

#endif
