/* No memory left, from the text of an input to the record of a trained run. */

#include "failing.h"
#include "folder.h"
#include <infoplane/dataset.h>
#include <infoplane/options.h>
#include <infoplane/rng.h>
#include <infoplane/study.h>
#include <unistd.h>
#include <zlib.h>

static const char study_yaml[] = "dataset: {name: symmetric, labels: stochastic, samples: 40, "
                                 "choice: random}\n"
                                 "network: {hidden: [[4, 3], [3]], activation: tanh}\n"
                                 "train: {fraction: [50%, 85%], batch: [16, full], epochs: 2}\n"
                                 "look: [0, 1, 2]\n"
                                 "repeat: 2\n"
                                 "gradient_batch: 8\n"
                                 "save.weights: looked\n"
                                 "estimate:\n"
                                 "  - {kind: binning, bins: 30, range: [run, snapshot], "
                                 "on: [full, train, test]}\n"
                                 "  - {kind: binning, width: 0.07}\n"
                                 "  - {kind: kde, noise_variance: [1e-3, 1e-1]}\n"
                                 "studies:\n"
                                 "  - {name: one}\n"
                                 "  - {name: two, network.activation: [relu, softplus], "
                                 "train.optimizer: adam, train.fraction: 85%}\n"
                                 "  - {name: three, dataset.labels: shuffled, "
                                 "train.split: idnns-prefix, network.blas: openblas, "
                                 "train.optimizer: momentum}\n";

/* ---- options --------------------------------------------------------------------------------- */

static PetscErrorCode read_text(const char *yaml, ip_options **options)
{
  static const char *const argument[] = {"train.learning_rate=[1e-2,4e-4]", "seed=3",
                                         "max_time=1:00:00"};

  return ip_options_read("a file.yaml", yaml, strlen(yaml), 3, argument, options);
}

static PetscErrorCode options_read(const void *yaml)
{
  ip_options *options = UNTOUCHED;
  const PetscErrorCode code = read_text(yaml, &options);

  if (!failed(code, options)) ip_options_destroy(&options);
  return code;
}

/* A text full of errors, which are collected: they are the answer that is wanted. */
static PetscErrorCode options_refused(const void *yaml)
{
  const PetscErrorCode code = options_read(yaml);

  return code == IP_ERR_CONFIG ? PETSC_SUCCESS : code;
}

/* What a text is appended to: `act` of the options. */
static PetscErrorCode written(PetscErrorCode (*act)(const ip_options *options, ip_text *text),
                              const ip_options *options)
{
  ip_text text = {0};
  const PetscErrorCode code = act(options, &text);

  ip_text_clear(&text);
  return code;
}

static PetscErrorCode config(const void *options)
{
  return written(ip_options_config, options);
}

static PetscErrorCode provenance(const void *options)
{
  return written(ip_options_provenance, options);
}

static PetscErrorCode difference(const ip_options *options, ip_text *words)
{
  ip_text one = {0};
  PetscErrorCode code = ip_options_config(options, &one);

  if (!code)
    code = ip_options_difference(
        "studies:\n  - name: \"one\"\n    repeat: 7\n    estimate: [{kind: kde}]\n"
        "    strange: 1\n  - name: \"gone\"\n",
        one.text, words);
  ip_text_clear(&one);
  return code;
}

static PetscErrorCode differ(const void *options)
{
  return written(difference, options);
}

static PetscErrorCode help(const void *topic)
{
  ip_text text = {0};
  const PetscErrorCode code = ip_options_help(topic, &text);

  ip_text_clear(&text);
  return code;
}

static void options(void **state)
{
  static const char wrong[] = "dataset: {name: symetric, gama: 1}\n"
                              "train: {batch: [1, many], epochs: -3}\n"
                              "estimate: [{kind: bining}, {kind: kde, bins: 3}]\n"
                              "look: [3, 1]\nlook: sometimes\nunknown: 1\n";
  static const char *const topic[] = {"train.batch", "batch", "keys", "estimate",
                                      "studies",     "train", "kde"};
  ip_options *options = NULL;

  (void)state;
  fail_each("options", options_read, study_yaml, EACH);
  fail_each("options with errors", options_refused, wrong, EACH);
  OK(read_text(study_yaml, &options));
  fail_each("config", config, options, EACH);
  fail_each("provenance", provenance, options, EACH);
  fail_each("difference", differ, options, EACH);
  ip_options_destroy(&options);
  for (size_t i = 0; i < sizeof topic / sizeof topic[0]; i++)
    fail_each(topic[i], help, topic[i], EACH);
}

/* ---- data sets ------------------------------------------------------------------------------- */

/* What a child process allocates cannot be counted here; test core/probe has it. */
PetscErrorCode __wrap_ip_file_probe(const char *path, const char *library,
                                    PetscErrorCode (*read)(void *context), void *context);
PetscErrorCode __wrap_ip_file_probe(const char *path, const char *library,
                                    PetscErrorCode (*read)(void *context), void *context)
{
  (void)path, (void)library, (void)read, (void)context;
  return PETSC_SUCCESS;
}

static PetscErrorCode load(const void *spec)
{
  ip_dataset *data = UNTOUCHED;
  const PetscErrorCode code = ip_dataset_load(spec, &data);

  if (!failed(code, data)) ip_dataset_destroy(&data);
  return code;
}

static void load_each(const char *kind, const char *path)
{
  ip_dataset_spec spec = {.kind = (size_t)ip_names_find(ip_dataset_name, kind), .path = path};

  fail_each(path, load, &spec, EACH);
  spec.samples = 2;
  fail_each("first samples of it", load, &spec, EACH);
  spec.keyed_choice = true;
  fail_each("random samples of it", load, &spec, EACH);
}

/* Bytes, gzipped or as they are. */
static void write_bytes(const char *path, bool packed, const void *bytes, unsigned length)
{
  gzFile file = gzopen(path, packed ? "wb" : "wbT");

  assert_non_null(file);
  assert_int_equal(gzwrite(file, bytes, length), length);
  assert_int_equal(gzclose(file), Z_OK);
}

static void write_idx(bool packed)
{
  static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 1,
                                         0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8},
                             labels[] = {0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 2, 1};

  write_bytes("t-images-idx3-ubyte", packed, images, sizeof images);
  write_bytes("t-labels-idx1-ubyte", packed, labels, sizeof labels);
}

static void idx(void **state)
{
  (void)state;
  for (int packed = 0; packed < 2; packed++) {
    write_idx(packed != 0);
    load_each("idx", "t-images-idx3-ubyte");
  }
  unlink("t-images-idx3-ubyte");
  unlink("t-labels-idx1-ubyte");
}

/* One variable of doubles in a MATLAB 5 file: tag, flags, shape, name of one letter, numbers. */
static size_t add_variable(unsigned char at[], char name, uint32_t rows, uint32_t columns)
{
  const uint32_t n = rows * columns, head[] = {14,
                                               48 + 8 * n,
                                               6,
                                               8,
                                               6,
                                               0,
                                               5,
                                               8,
                                               rows,
                                               columns,
                                               1U << 16 | 1,
                                               (uint32_t)(unsigned char)name,
                                               9,
                                               8 * n};

  memcpy(at, head, sizeof head);
  for (uint32_t i = 0; i < n; i++) {
    const double value = i % 3;

    memcpy(at + sizeof head + 8 * (size_t)i, &value, sizeof value);
  }
  return sizeof head + 8 * (size_t)n;
}

/* The same, deflated. */
static size_t pack(unsigned char at[], const unsigned char plain[], size_t length)
{
  const uint32_t compressed = 15;
  uLongf packed = 1024;

  assert_int_equal(compress(at + 8, &packed, plain, length), Z_OK);
  memcpy(at, &compressed, 4);
  memcpy(at + 4, &(uint32_t){(uint32_t)packed}, 4);
  return 8 + packed;
}

static void mat(void **state)
{
  unsigned char file[4096], plain[1024];

  (void)state;
  for (int packed = 0; packed < 2; packed++) {
    size_t length = 128;

    memset(file, ' ', length);
    memcpy(file, (const char[]){'M', 'A', 'T', 'L', 'A', 'B', ' ', '5'}, 8);
    memcpy(file + 124, (unsigned char[]){0, 1, 'I', 'M'}, 4);
    for (int i = 0; i < 2; i++) {
      const size_t n = add_variable(plain, i ? 'y' : 'F', i ? 1 : 4, i ? 4 : 2);

      if (!packed) memcpy(file + length, plain, n);
      length += packed ? pack(file + length, plain, n) : n;
    }
    write_bytes("t.mat", false, file, (unsigned)length);
    load_each("mat", "t.mat");
  }
  unlink("t.mat");
}

static void write_array(hid_t file, const char *name, int rank)
{
  static const double value[8] = {0, 1, 2, 1, 1, 0, 2, 1};
  const hsize_t size[2] = {4, 2};
  const hid_t space = H5Screate_simple(rank, size, NULL);
  const hid_t id = H5Dcreate2(file, name, rank == 2 ? H5T_IEEE_F64LE : H5T_STD_I32LE, space,
                              H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);

  assert_true(H5Dwrite(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0);
  H5Dclose(id);
  H5Sclose(space);
}

static void hdf5(void **state)
{
  const hid_t file = H5Fcreate("t.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

  (void)state;
  write_array(file, "x", 2);
  write_array(file, "y", 1);
  H5Fclose(file);
  load_each("hdf5", "t.h5");
  unlink("t.h5");
}

static void symmetric(void **state)
{
  const ip_dataset_spec certain = {.kind = 0}, drawn = {.labels = IP_LABELS_STOCHASTIC,
                                                        .gamma = 10,
                                                        .samples = 9,
                                                        .keyed_choice = true};

  (void)state;
  fail_each("symmetric", load, &certain, EACH);
  fail_each("symmetric, stochastic", load, &drawn, EACH);
}

static PetscErrorCode data_create(const void *options)
{
  ip_data *data = UNTOUCHED;
  PetscErrorCode code = ip_data_create(options, &data);

  if (failed(code, data)) return code;
  code = ip_data_load(data);
  ip_data_destroy(&data);
  return code;
}

/* A share of the patterns' entropies, labels certain and not. */
static PetscErrorCode entropies(const void *data)
{
  static const uint32_t subset[] = {0, 3, 5};
  const ip_dataset *d = data;
  ip_entropies all, some;

  PetscCall(ip_dataset_entropies(d, d->y, d->n, NULL, &all));
  return ip_dataset_entropies(d, d->y, 3, subset, &some);
}

/* ---- plan, record, run ----------------------------------------------------------------------- */

typedef struct {
  ip_options *options;
  ip_data *data;
  ip_plan *plan;
  size_t run;
} study;

static PetscErrorCode plan_create(const void *of)
{
  const study *s = of;
  ip_plan *plan = UNTOUCHED;
  const PetscErrorCode code = ip_plan_create(s->options, s->data, &plan);

  if (!failed(code, plan)) ip_plan_destroy(&plan);
  return code;
}

static PetscErrorCode identity(const void *of)
{
  const study *s = of;
  ip_text text = {0};
  const PetscErrorCode code = ip_plan_identity(s->plan, 0, &text);

  ip_text_clear(&text);
  return code;
}

static PetscErrorCode record_create(const void *of)
{
  const study *s = of;
  ip_record *record = UNTOUCHED;
  const PetscErrorCode code = ip_record_create(s->plan, &record);

  if (!failed(code, record)) ip_record_destroy(&record);
  return code;
}

static ip_record *record; /* of the runs below */

static PetscErrorCode train(const void *of)
{
  const study *s = of;
  bool stopped = true;
  const PetscErrorCode code = ip_run_train(s->plan, s->run, NULL, record, &stopped);

  assert_int_equal(stopped, code != PETSC_SUCCESS);
  return code;
}

static PetscErrorCode curve(const void *of)
{
  const study *s = of;
  ip_bound_point point[3];

  return ip_data_curve(s->data, 0, 3, point);
}

static PetscErrorCode bottleneck(const void *solver)
{
  static const double weight[] = {0.2, 0.3, 0.1, 0.4}, beta[] = {1.5, 3, 20, INFINITY};
  static const double p[] = {0.9, 0.1, 0.2, 0.8, 0.5, 0.5, 0.05, 0.95};
  static const uint32_t cell[] = {0, 1, 1, 2};
  const ip_joint joint = {.n = 4, .k = 2, .weight = weight, .p = p};
  ip_bound_point point[4];
  ip_best_beta best;
  double critical;

  PetscCall(ip_bottleneck_critical(&joint, &critical));
  PetscCall(ip_bottleneck_curve(&joint, *(const ip_bottleneck_solver *)solver, 4, beta, point));
  return ip_bottleneck_layer(&joint, 3, cell, &best);
}

static study make_study(void)
{
  study s = {0};

  OK(read_text(study_yaml, &s.options));
  OK(ip_data_create(s.options, &s.data));
  OK(ip_data_load(s.data));
  OK(ip_plan_create(s.options, s.data, &s.plan));
  return s;
}

static void clear_study(study *s)
{
  ip_plan_destroy(&s->plan);
  ip_data_destroy(&s->data);
  ip_options_destroy(&s->options);
}

/* One run of each block: its labels, optimizer, activation and columns differ. */
static void runs(void **state)
{
  study s = make_study();

  (void)state;
  fail_each("data of a study", data_create, s.options, EACH);
  fail_each("entropies", entropies, s.data->set[0], EACH);
  fail_each("plan", plan_create, &s, EACH);
  fail_each("identity", identity, &s, EACH);
  fail_each("record", record_create, &s, EACH);
  fail_each("curve", curve, &s, EACH);
  OK(ip_record_create(s.plan, &record));
  for (size_t block = 0; block < s.plan->n_studies; block++) {
    s.run = 0;
    while (!s.plan->in_study[s.run * s.plan->n_studies + block]) s.run++;
    fail_each(s.options->block[block].name, train, &s, EACH);
  }
  ip_record_destroy(&record);
  clear_study(&s);
}

static void bound(void **state)
{
  static const ip_bottleneck_solver solver[] = {IP_BOTTLENECK_SNES, IP_BOTTLENECK_PLAIN};

  (void)state;
  for (size_t i = 0; i < 2; i++) fail_each("bottleneck", bottleneck, &solver[i], EACH);
}

/* PETSc's own allocations, made for the solver: they fail too.  What it leaves is its own. */

static long petsc_calls, petsc_fail_at;

/* As PETSc's own allocators say it. */
static PetscErrorCode petsc_refuse(size_t size, int line, const char *function,
                                   const char *file)
{
  return PetscError(PETSC_COMM_SELF, line, function, file, PETSC_ERR_MEM, PETSC_ERROR_INITIAL,
                    "Memory requested %zu", size);
}

static PetscErrorCode petsc_take(size_t size, PetscBool clear, int line, const char function[],
                                 const char file[], void **room)
{
  (void)clear;
  *room = ++petsc_calls == petsc_fail_at ? NULL : calloc(1, size);
  return *room || size == 0 ? PETSC_SUCCESS : petsc_refuse(size, line, function, file);
}

static PetscErrorCode petsc_give(void *room, int line, const char function[], const char file[])
{
  (void)line, (void)function, (void)file;
  __real_free(room);
  return PETSC_SUCCESS;
}

static PetscErrorCode petsc_resize(size_t size, int line, const char function[],
                                   const char file[], void **room)
{
  void *larger = ++petsc_calls == petsc_fail_at ? NULL : realloc(*room, size);

  if (!larger) return petsc_refuse(size, line, function, file);
  *room = larger;
  return PETSC_SUCCESS;
}

static void petsc_runs_out(void **state)
{
  static const ip_bottleneck_solver snes = IP_BOTTLENECK_SNES;
  bool reached = true;
  long n = 1;

  (void)state;
  /* what PETSc leaves after an error would be reported as leaks of ours */
  if (under_valgrind()) skip();
#ifdef __SANITIZE_ADDRESS__
  skip();
#endif
  OK(PetscMallocSet(petsc_take, petsc_give, petsc_resize));
  for (; reached; n++) {
    const long before = memory.live;

    petsc_calls = 0;
    petsc_fail_at = n;
    ip_error_clear();
    const PetscErrorCode code = bottleneck(&snes);

    reached = petsc_calls >= n;
    petsc_fail_at = 0;
    assert_int_equal(memory.live, before);
    if (reached && (code == PETSC_SUCCESS || !ip_error_message()[0]))
      fail_msg("PETSc's allocation %ld: code %d, \"%s\"", n, (int)code, ip_error_message());
  }
  OK(PetscMallocClear());
  print_message("PETSc: %ld allocations failed once each\n", n - 2);
}

/* ---- slow references ------------------------------------------------------------------------- */

typedef struct {
  ip_layer layer;
  ip_column column;
} measuring;

static PetscErrorCode measure(const void *of)
{
  const measuring *m = of;
  const ip_column *column = &m->column;
  ip_workspace *work = UNTOUCHED;
  ip_information fast, slow;
  uint32_t cell[32];
  size_t n;
  PetscErrorCode code = ip_workspace_create(&work);

  if (failed(code, work)) return code;
  code = ip_estimate(&m->layer, 1, &column, work, &fast);
  if (!code && column->estimator->cells)
    code = ip_estimate_cells(&m->layer, column, work, &n, cell);
  if (!code) code = ip_estimate_reference(&m->layer, column, &slow);
  ip_workspace_destroy(&work);
  return code;
}

static void estimators(void **state)
{
  enum { N = 20, D = 2, STRIDE = 32 };
  static double half[2 * N];
  static int32_t y[N];
  const ip_stream stream = {.seed = 1, .purpose = IP_PURPOSE_TEST};
  float *t;
  measuring m;

  (void)state;
  OK(IP_ALLOCATE((size_t)D * STRIDE, &t));
  for (uint64_t i = 0; i < N; i++) {
    t[i] = (float)ip_stream_uniform(&stream, i);
    t[STRIDE + i] = (float)ip_stream_uniform(&stream, N + i);
    y[i] = (int32_t)(i % 2);
    half[2 * i] = half[2 * i + 1] = 0.5;
  }
  for (size_t row = 0; ip_estimator_row(row); row++)
    for (int drawn = 0; drawn < 2; drawn++) {
      m.layer = (ip_layer){.n = N,
                           .d = D,
                           .stride = STRIDE,
                           .k = 2,
                           .t = t,
                           .y = y,
                           .p = drawn ? half : NULL,
                           .bounded = true,
                           .run_low = NAN,
                           .run_high = NAN};
      OK(ip_column_default(ip_estimator_row(row), &m.column));
      OK(ip_column_set_name(&m.column));
      fail_each(m.column.name, measure, &m, EACH);
    }
  ip_release(&t);
}

static PetscErrorCode reference(const void *shape)
{
  static const double x[] = {0.1, 0.2, 0.3, 0.4};
  static const float narrow[] = {0.1F, 0.2F, 0.3F, 0.4F};
  static const int32_t y[] = {0, 1};
  static const uint32_t train_[] = {0, 1};
  const ip_reference_set set = {.m = 2, .x = x, .y = y};
  const ip_training_set small = {
      .n = 2, .d = 2, .x = narrow, .y = y, .n_train = 2, .train = train_};
  ip_reference *slow = UNTOUCHED;
  ip_network *fast = UNTOUCHED;
  double loss, slope[32];
  float steep[32];
  PetscErrorCode code = ip_reference_create(shape, &slow);

  if (failed(code, slow)) return code;
  code = ip_reference_loss(slow, &set, &loss, slope, NULL);
  ip_reference_destroy(&slow);
  PetscCall(code);
  code = ip_network_create(shape, &fast);
  if (failed(code, fast)) return code;
  code = ip_network_gradient(fast, &small, steep);
  ip_network_destroy(&fast);
  return code;
}

static void references(void **state)
{
  static const int32_t width[] = {2, 3, 2};
  const ip_network_shape shape = {.layers = 2, .width = width, .output = IP_OUTPUT_SOFTMAX};

  (void)state;
  fail_each("reference network", reference, &shape, EACH);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(options),    cmocka_unit_test(symmetric),
      cmocka_unit_test(idx),        cmocka_unit_test(mat),
      cmocka_unit_test(hdf5),       cmocka_unit_test(runs),
      cmocka_unit_test(estimators), cmocka_unit_test(bound),
      cmocka_unit_test(references), cmocka_unit_test(petsc_runs_out),
  };

  PetscPushErrorHandler(ip_error_handler, NULL);
  if (PetscInitializeNoArguments()) return 1; /* the bottleneck's solver needs it */
  const int result = cmocka_run_group_tests(tests, folder_enter, folder_leave);

  PetscFinalize();
  return result;
}
