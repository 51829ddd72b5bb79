#pragma once

/** @file
 *  A small plan made by hand: 3 studies, 5 runs, 3 columns, 4 epochs, 2 architectures, 3 layers,
 *  weights kept at every look.  And records whose every cell tells where it belongs. */

#include "check.h"
#include <fcntl.h>
#include <infoplane/store.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUNS = 5, STUDIES = 3, EPOCHS = 4, COLUMNS = 3, LAYERS = 3, WEIGHTS = 31 };

static const char *any_word(size_t i)
{
  static const char *const word[] = {"activation", "snapshot"};

  return i < 2 ? word[i] : NULL;
}

/* A fixed width and a number of bins exclude each other. */
static PetscErrorCode check_bins(const ip_column *column, const char *unbounded)
{
  (void)unbounded;
  IP_CHECK(!(column->given[0] && column->given[2]), IP_ERR_CONFIG, "bins and width");
  return PETSC_SUCCESS;
}

static PetscErrorCode check_nothing(const ip_column *column, const char *unbounded)
{
  (void)column, (void)unbounded;
  return PETSC_SUCCESS;
}

static const ip_parameter bin_parameter[] = {
    {.key = "bins",
     .type = IP_INTEGER,
     .unit = "1",
     .initial = "30",
     .coordinate = "column_bins",
     .sentence = "bins of one unit"},
    {.key = "range",
     .type = IP_INTERVAL,
     .unit = "1",
     .choice = any_word,
     .initial = "activation",
     .coordinate = "column_range",
     .sentence = "what the bins cover"},
    {.key = "width",
     .type = IP_REAL,
     .unit = "1",
     .coordinate = "column_width",
     .sentence = "width of the bins"},
    {.key = NULL                          }
};
static const ip_parameter kde_parameter[] = {
    {.key = "noise_variance",
     .type = IP_REAL,
     .unit = "1",
     .coordinate = "column_noise_variance",
     .sentence = "variance of the noise"},
    {.key = NULL            }
};
static const ip_estimator estimator[2] = {
    {.name = "binning", .parameter = bin_parameter, .check_column = check_bins   },
    {.name = "kde",     .parameter = kde_parameter, .check_column = check_nothing}
};

/** The plan and all that it borrows. */
typedef struct {
  ip_plan plan;
  ip_options options;
  ip_block block[STUDIES];
  ip_value learning_rate[STUDIES], activation, optimizer, fraction, seed;
  ip_data data;
  ip_dataset set, *sets;
  char *label;
  uint64_t data_checksum;
  ip_run run[RUNS];
  int8_t in_study[RUNS * STUDIES];
  int32_t epoch[EPOCHS];
  ip_column column[COLUMNS];
  ip_architecture architecture[2];
  int32_t deep[LAYERS + 1], flat[2];
  char name[STUDIES][16], shape[2][16], symmetric[16];
} example;

static inline void example_options(example *e)
{
  static const char *const name[STUDIES] = {"small", "large", "control"};

  for (int s = 0; s < STUDIES; s++) {
    snprintf(e->name[s], sizeof e->name[s], "%s", name[s]);
    e->learning_rate[s] = (ip_value){.word = -1, .real = s == 1 ? 1e-3 : 4e-4};
    e->block[s].name = e->name[s];
    e->block[s].key[IP_KEY_TRAIN_LEARNING_RATE] =
        (ip_values){.n = 1, .value = &e->learning_rate[s], .given = true};
  }
  e->options = (ip_options){.n_blocks = STUDIES, .block = e->block};
  e->activation = (ip_value){.word = 1}; /* relu */
  e->optimizer = (ip_value){.word = 2};  /* adam */
  e->fraction = (ip_value){.word = -1, .real = 0.85};
  e->seed = (ip_value){.word = -1, .integer = 7};
}

static inline void example_runs(example *e)
{
  for (int r = 0; r < RUNS; r++) {
    e->run[r] = (ip_run){.seed = 9007199254740993U, /* 2^53 + 1: no double holds it */
                         .replicate = (uint32_t)r / 2,
                         .number = r,
                         .architecture = r % 2,
                         .epochs = 100 + r,
                         .train_size = 3482,
                         .batch = r == 0 ? 3482 : 256};
    e->run[r].value[IP_KEY_TRAIN_LEARNING_RATE] = &e->learning_rate[r % STUDIES];
    e->run[r].value[IP_KEY_NETWORK_ACTIVATION] = &e->activation;
    e->run[r].value[IP_KEY_TRAIN_OPTIMIZER] = r == 4 ? NULL : &e->optimizer;
    e->run[r].value[IP_KEY_TRAIN_FRACTION] = &e->fraction;
    e->run[r].value[IP_KEY_SEED] = &e->seed;
    e->in_study[r * STUDIES + r % STUDIES] = 1;
  }
}

static inline void example_columns(example *e)
{
  e->column[0] = (ip_column){.estimator = &estimator[0], .name = "bin30"};
  e->column[0].value[0] = (ip_value){.word = -1, .integer = 30};
  e->column[0].value[1] = (ip_value){.word = 1};
  e->column[1] =
      (ip_column){.estimator = &estimator[1], .on = IP_ON_TRAIN, .name = "kde_upper_0.001"};
  e->column[1].value[0] = (ip_value){.word = -1, .real = 1e-3};
  e->column[1].given[0] = true;
  e->column[2] = (ip_column){.estimator = &estimator[0], .name = "bin_w0.07"};
  e->column[2].value[0] = e->column[0].value[0];
  e->column[2].value[2] = (ip_value){.word = -1, .real = 0.07};
  e->column[2].given[2] = true;
}

static inline void example_create(example *e)
{
  static const int32_t epoch[EPOCHS] = {0, 1, 10, 104}, deep[] = {3, 4, 2, 2}, flat[] = {3, 2};

  *e = (example){0};
  memcpy(e->epoch, epoch, sizeof epoch);
  memcpy(e->deep, deep, sizeof deep);
  memcpy(e->flat, flat, sizeof flat);
  snprintf(e->shape[0], sizeof e->shape[0], "3-4-2-2");
  snprintf(e->shape[1], sizeof e->shape[1], "3-2");
  snprintf(e->symmetric, sizeof e->symmetric, "symmetric");
  e->architecture[0] = (ip_architecture){.layers = 3, .width = e->deep, .label = e->shape[0]};
  e->architecture[1] = (ip_architecture){.layers = 1, .width = e->flat, .label = e->shape[1]};
  e->set = (ip_dataset){.n = 4096, .d = 3, .k = 2};
  e->sets = &e->set;
  e->label = e->symmetric;
  e->data_checksum = 0x123456789abcdef0U;
  e->data =
      (ip_data){.n = 1, .label = &e->label, .set = &e->sets, .checksum = &e->data_checksum};
  example_options(e);
  example_runs(e);
  example_columns(e);
  e->plan = (ip_plan){.options = &e->options,
                      .parts = 1,
                      .data = &e->data,
                      .n_runs = RUNS,
                      .run = e->run,
                      .n_studies = STUDIES,
                      .in_study = e->in_study,
                      .n_epochs = EPOCHS,
                      .epoch = e->epoch,
                      .n_columns = COLUMNS,
                      .column = e->column,
                      .n_architectures = 2,
                      .architecture = e->architecture,
                      .n_layers = LAYERS,
                      .n_parameters = WEIGHTS,
                      .save = IP_SAVE_LOOKED};
}

static const ip_store_origin example_origin = {.version = "0.1.0",
                                               .commit = "a1b2c3d",
                                               .build = "build-one",
                                               .launch_json = "{\"ranks\": 2}",
                                               .provenance_yaml = "train.batch: 256  # default",
                                               .reproducible = true};

/** Cell i of field f of a run holds 1000 f + 100 run + i / 8. */
static inline double example_cell(size_t f, size_t run, size_t i)
{
  return 1000.0 * (double)f + 100.0 * (double)run + (double)i / 8;
}

static inline void example_record(ip_record *record, size_t run)
{
  ip_record_reset(record, run);
  record->status = run == 3 ? IP_STATUS_DIVERGED : IP_STATUS_DONE;
  record->seconds = 1.5 + (double)run;
  for (size_t f = 0; f < IP_FIELDS; f++)
    for (size_t i = 0; i < ip_field_length(record->plan, f); i++) {
      const double cell = example_cell(f, run, i);

      if (ip_field_row(f)->type == IP_FLOAT64) ((double *)record->array[f])[i] = cell;
      if (ip_field_row(f)->type == IP_FLOAT32) ((float *)record->array[f])[i] = (float)cell;
      if (ip_field_row(f)->type == IP_INT64) ((int64_t *)record->array[f])[i] = (int64_t)cell;
      if (ip_field_row(f)->type == IP_INT32) ((int32_t *)record->array[f])[i] = (int32_t)cell;
    }
}

/** A whole file in memory; release it. */
static inline unsigned char *file_bytes(const char *path, size_t *n)
{
  struct stat about = {0};
  unsigned char *bytes = NULL;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);

  assert_true(fd >= 0 && fstat(fd, &about) == 0);
  *n = (size_t)about.st_size;
  OK(IP_ALLOCATE(*n + 1, &bytes));
  assert_true(read(fd, bytes, *n) == (ssize_t)*n);
  close(fd);
  return bytes;
}

static inline void same_bytes(const char *a, const char *b)
{
  size_t n = 0, m = 0;
  unsigned char *left = file_bytes(a, &n), *right = file_bytes(b, &m);

  assert_int_equal(n, m);
  for (size_t i = 0; i < n; i++)
    if (left[i] != right[i])
      fail_msg("%s and %s differ at byte %zu: %02x, %02x", a, b, i, left[i], right[i]);
  ip_release(&left);
  ip_release(&right);
}
