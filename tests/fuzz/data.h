#pragma once

/** @file
 *  What targets share that read data sets.
 */

#include "fuzz.h"
#include <infoplane/dataset.h>
#include <math.h>

/* What every reader promises of what it accepts. */
static inline void check_dataset(const ip_dataset *data, size_t most)
{
  MUST(data->n >= 1 && data->d >= 1 && data->k >= 2 && data->x && data->y);
  MUST(data->n <= most / data->d);
  for (size_t i = 0; i < data->n * data->d; i++) MUST(isfinite(data->x[i]));
  for (size_t i = 0; i < data->n; i++) MUST(0 <= data->y[i] && data->y[i] < data->k);
}

/** Load it whole or in part, as its length has it; `most`: numbers that a file of this length can
 *  hold. */
static inline void load_dataset(const char *kind, const char *path, const char *labels_path,
                                size_t length, size_t most)
{
  const ip_dataset_spec spec = {.kind = (size_t)ip_names_find(ip_dataset_name, kind),
                                .path = path,
                                .labels_path = labels_path,
                                .samples = length % 4 > 1 ? 2 : 0,
                                .keyed_choice = length % 4 == 3,
                                .seed = 7};
  ip_dataset *data = NULL;
  const PetscErrorCode code = ip_dataset_load(&spec, &data);

  if (code == PETSC_SUCCESS)
    check_dataset(data, most);
  else {
    MUST(!data);
    MUST(code == IP_ERR_DATA || (code == IP_ERR_CONFIG && spec.samples > 0));
    MUST(code == IP_ERR_CONFIG || strstr(ip_error_message(), path) ||
         (labels_path && strstr(ip_error_message(), labels_path)));
  }
  ip_dataset_destroy(&data);
}
