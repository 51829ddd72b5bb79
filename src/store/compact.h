#pragma once

/** @file  Compressed files.  Private to the store. */

#include "h5.h"

/** Arrays of the file are compressed: it can be read, but not written by several ranks. */
bool ip_file_is_compact(hid_t file);
