#pragma once

/** @file  Room on the disk.  Private to the store. */

#include <infoplane/core.h>

/** The disk and the shell's limit have room for a file of `needed` bytes at path, and the disk for
 *  `beside` more.  IP_ERR_IO with both numbers. */
PetscErrorCode room_check(const char *path, uint64_t needed, uint64_t beside);
