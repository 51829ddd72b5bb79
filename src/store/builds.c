/* Builds as rows of zero-terminated bytes: raw data, since a file in use takes nothing else. */

#include "builds.h"
#include <string.h>

PetscErrorCode ip_builds_find(hid_t dataset, const char *build, int *found, int *n,
                              char last[IP_LAYOUT_BUILD + 1])
{
  char row[IP_LAYOUT_BUILDS][IP_LAYOUT_BUILD];
  const ip_cells cells = {
      .n_axes = 2, .count = {IP_LAYOUT_BUILDS, IP_LAYOUT_BUILD}
  };

  PetscCall(ip_h5_read(dataset, H5T_NATIVE_UINT8, &cells, row));
  *found = -1;
  *n = 0;
  last[0] = last[IP_LAYOUT_BUILD] = '\0';
  for (int i = 0; i < IP_LAYOUT_BUILDS && row[i][0]; i++) {
    memcpy(last, row[i], IP_LAYOUT_BUILD);
    if (strncmp(last, build, IP_LAYOUT_BUILD) == 0) *found = i;
    (*n)++;
  }
  return PETSC_SUCCESS;
}

PetscErrorCode ip_builds_write(hid_t dataset, int i, const char *build)
{
  char row[IP_LAYOUT_BUILD] = "";
  const ip_cells cells = {
      .n_axes = 2, .start = {(hsize_t)i, 0              },
           .count = {1,          IP_LAYOUT_BUILD}
  };

  memcpy(row, build, strnlen(build, IP_LAYOUT_BUILD));
  return ip_h5_write(dataset, H5T_NATIVE_UINT8, &cells, row);
}
