#pragma once

/** @file  The whole file before the first run: written once, by one process.  Private to the store. */

#include "h5.h"
#include <infoplane/store.h>

/** Cells of a chunk of a compact file; the first axis is cut first. */
void ip_skeleton_chunk(const ip_variable *v, hsize_t chunk[IP_LAYOUT_RANK]);

/** Bytes that the skeleton takes on disk, within a few per cent. */
uint64_t ip_skeleton_bytes(const ip_layout *layout);

/** Write it to path, which exists and is open as fd (H5Fcreate empties it).  IP_ERR_IO: disk full;
 *  what was written is of no use then. */
PetscErrorCode ip_skeleton_write(const char *path, int fd, const ip_plan *plan,
                                 const ip_layout *layout, const ip_store_origin *origin);
