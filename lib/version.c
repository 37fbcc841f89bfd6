/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x2gobroker.h"

const char *
x2gobroker_version(void)
{
	return X2GOBROKER_VERSION;
}
