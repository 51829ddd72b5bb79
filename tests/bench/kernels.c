/* The kernels of the program and their slow references, one unit of work at a time, for run.py, which
   takes turns with others.

     bench_kernels FOLDER [SAMPLES]      SAMPLES: of the 4096 patterns; 0: all

   The network is 12-10-7-5-4-3-2, tanh, softmax, Adam 4e-4, batch 256, 85 % of the patterns.  Standard
   input says what to do, one line each, and one line answers:

     look EPOCH      train a network so far, look at it, and leave layers and weights in FOLDER
     NAME COUNT      the kernel NAME of the table below, COUNT times

   An answer is the seconds of this thread for one unit, then name=value: `issues`, the multiply-adds
   of eight floats that the unit needs at least, and `counts`, the words of a table that it has to
   find and count up, and what was computed, for others to be compared with. `probe` and `probe_count`
   answer what one of those takes at the peak.
   The training kernels begin at the initial weights; the first unit is epoch 0.

   FOLDER gets raw arrays: x (n, 12) float32, y (n) int32; train, order, partition: patterns of the
   training set as they lie, in the order of epoch 0, and in the order of the gradient batches, uint32;
   start, weights: parameters as ip_network_parameters has them, float32; layer_1, ... (units, n). */

#include "timing.h"
#include "trained.h"
#include <infoplane/rng.h>
#include <inttypes.h>

enum { LAYERS = 6, BATCH = 256, EPOCHS_A_LOOK = 47 }; /* 10,000 epochs have 212 looks */

static const int32_t width[LAYERS + 1] = {12, 10, 7, 5, 4, 3, 2};
static const double noise = 1e-3, tolerance = 1e-6;

/* A network in double that learns by its reference. */
typedef struct {
  ip_reference *network;
  size_t n; /* parameters */
  uint64_t epoch, updates;
  double *gradient, *first, *second; /* shape (n)                       */
  double *x;                         /* shape (patterns, features)      */
  int32_t *y;                        /* shape (patterns)                */
  uint32_t *order;                   /* shape (patterns)                */
  double *t[LAYERS];                 /* of a look, shape (patterns, d)  */
} slow;

typedef struct {
  const char *folder;
  trained look, training; /* seen, and trained by the kernel */
  slow slow;
  ip_workspace *work;
  ip_column binning, all[2], pruned[2];
  ip_information out[LAYERS][2];
  ip_gradient gradient[LAYERS];
  double loss;
} bench;

/* ---- ours ---------------------------------------------------------------------------------------- */

static PetscErrorCode train(bench *b)
{
  bool finite = true;

  PetscCall(ip_trainer_epoch(b->training.trainer, b->training.epoch++, &finite));
  IP_CHECK(finite, IP_ERR_INTERNAL, "the network diverged");
  return PETSC_SUCCESS;
}

static PetscErrorCode forward(bench *b)
{
  return ip_snapshot_take(b->look.network, b->look.data->x, b->look.snapshot);
}

static PetscErrorCode gradients(bench *b)
{
  return ip_network_gradients(b->look.network, &b->look.set, BATCH, 1, 0, b->gradient);
}

static PetscErrorCode estimate(bench *b, size_t n, const ip_column column[])
{
  const ip_column *const list[2] = {&column[0], &column[n - 1]};

  for (size_t l = 1; l <= LAYERS; l++) {
    const ip_layer layer = trained_layer(&b->look, l);

    PetscCall(ip_estimate(&layer, n, list, b->work, b->out[l - 1]));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode binning(bench *b)
{
  return estimate(b, 1, &b->binning);
}

static PetscErrorCode kde_all(bench *b)
{
  return estimate(b, 2, b->all);
}

static PetscErrorCode kde(bench *b)
{
  return estimate(b, 2, b->pruned);
}

/* What a run does from one look to the next. */
static PetscErrorCode stretch(bench *b)
{
  for (int e = 0; e < EPOCHS_A_LOOK; e++) PetscCall(train(b));
  PetscCall(forward(b));
  PetscCall(gradients(b));
  PetscCall(binning(b));
  return kde(b);
}

/* ---- the slow references ------------------------------------------------------------------------- */

/* Patterns first .. first + m - 1 of an order. */
static ip_reference_set gather(bench *b, const uint32_t order[], size_t m)
{
  const ip_dataset *data = b->look.data;
  slow *s = &b->slow;

  for (size_t i = 0; i < m; i++) {
    for (size_t u = 0; u < data->d; u++)
      s->x[i * data->d + u] = (double)data->x[order[i] * data->d + u];
    s->y[i] = data->y[order[i]];
  }
  return (ip_reference_set){.m = m, .x = s->x, .y = s->y};
}

/* One step of Adam as PyTorch defines it. */
static void slow_step(slow *s)
{
  double *parameter = ip_reference_parameters(s->network);

  s->updates++;
  const double one = 1.0 - pow(0.9, (double)s->updates),
               two = 1.0 - pow(0.999, (double)s->updates);

  for (size_t i = 0; i < s->n; i++) {
    const double g = s->gradient[i];

    s->first[i] = 0.9 * s->first[i] + 0.1 * g;
    s->second[i] = 0.999 * s->second[i] + 0.001 * g * g;
    parameter[i] -= 4e-4 * s->first[i] / one / (sqrt(s->second[i] / two) + 1e-8);
  }
}

/* The patterns of the training set in the order of one purpose. */
static void order_of(const trained *t, ip_purpose purpose, uint64_t number, uint32_t order[])
{
  const ip_stream stream = {.seed = 1, .replicate = 0, .purpose = purpose};

  ip_stream_permutation(&stream, number, t->set.n_train, order);
  for (size_t i = 0; i < t->set.n_train; i++) order[i] = t->set.train[order[i]];
}

static PetscErrorCode slow_train(bench *b)
{
  slow *s = &b->slow;
  const size_t n = b->training.set.n_train;

  order_of(&b->training, IP_PURPOSE_SHUFFLE, s->epoch++, s->order);
  for (size_t at = 0; at < n; at += BATCH) {
    const ip_reference_set batch = gather(b, s->order + at, n - at < BATCH ? n - at : BATCH);

    PetscCall(ip_reference_loss(s->network, &batch, &b->loss, s->gradient, NULL));
    slow_step(s);
  }
  return PETSC_SUCCESS;
}

/* The reference with the weights of the look; what it had learned is lost. */
static double *slow_look(bench *b)
{
  const float *from = ip_network_parameters(b->look.network);
  double *to = ip_reference_parameters(b->slow.network);

  for (size_t i = 0; i < b->slow.n; i++) to[i] = (double)from[i];
  return to;
}

static PetscErrorCode slow_forward(bench *b)
{
  slow_look(b);
  for (size_t i = 0; i < b->look.set.n; i++) b->slow.order[i] = (uint32_t)i;

  const ip_reference_set all = gather(b, b->slow.order, b->look.set.n);
  double loss;

  PetscCall(ip_reference_loss(b->slow.network, &all, &loss, NULL, b->slow.t));
  b->loss = 0.0; /* of the training set, from the output layer */
  for (size_t i = 0; i < b->look.set.n_train; i++) {
    const uint32_t at = b->look.set.train[i];

    b->loss -= log(b->slow.t[LAYERS - 1][2 * at + (size_t)b->look.set.y[at]]);
  }
  b->loss /= (double)b->look.set.n_train;
  return PETSC_SUCCESS;
}

/* Sum of squares of the weights of layer l of a gradient; it begins at *at and moves on. */
static double squares(const double gradient[], size_t l, size_t *at)
{
  const size_t units = (size_t)width[l], weights = units * (size_t)width[l - 1];
  double sum = 0.0;

  for (size_t i = 0; i < weights; i++) sum += gradient[*at + i] * gradient[*at + i];
  *at += weights + units;
  return sum;
}

/* Mean and spread from sums over batches and over single samples, each differentiated alone. */
static PetscErrorCode slow_gradients(bench *b)
{
  slow *s = &b->slow;
  const size_t quarter = b->look.set.n_train / 4, m = quarter < BATCH ? quarter : BATCH,
               batches = b->look.set.n_train / m;
  double by_batch[LAYERS + 1] = {0}, by_sample[LAYERS + 1] = {0};

  slow_look(b);
  order_of(&b->look, IP_PURPOSE_GRADIENT, 0, s->order);
  memset(s->first, 0, s->n * sizeof *s->first);
  for (size_t i = 0; i < batches * m; i++) {
    const ip_reference_set one = gather(b, s->order + i, 1);
    size_t at = 0;

    PetscCall(ip_reference_loss(s->network, &one, &b->loss, s->gradient, NULL));
    for (size_t l = 1; l <= LAYERS; l++) by_sample[l] += squares(s->gradient, l, &at);
  }
  for (size_t k = 0; k < batches; k++) {
    const ip_reference_set batch = gather(b, s->order + k * m, m);
    size_t at = 0;

    PetscCall(ip_reference_loss(s->network, &batch, &b->loss, s->gradient, NULL));
    for (size_t i = 0; i < s->n; i++) s->first[i] += s->gradient[i] / (double)batches;
    for (size_t l = 1; l <= LAYERS; l++) by_batch[l] += squares(s->gradient, l, &at);
  }
  for (size_t l = 1, at = 0; l <= LAYERS; l++) {
    const double mean = squares(s->first, l, &at);

    b->gradient[l - 1] =
        (ip_gradient){.mean_norm = sqrt(mean),
                      .std_norm = sqrt(by_batch[l] / (double)batches - mean),
                      .sample_std_norm = sqrt(by_sample[l] / (double)(batches * m) - mean)};
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode slow_estimate(bench *b, size_t n, const ip_column column[])
{
  for (size_t l = 1; l <= LAYERS; l++) {
    const ip_layer layer = trained_layer(&b->look, l);

    for (size_t c = 0; c < n; c++)
      PetscCall(ip_estimate_reference(&layer, &column[c], &b->out[l - 1][c]));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode slow_binning(bench *b)
{
  return slow_estimate(b, 1, &b->binning);
}

static PetscErrorCode slow_kde(bench *b)
{
  return slow_estimate(b, 2, b->all);
}

/* ---- what was computed --------------------------------------------------------------------------- */

/* Multiply-adds of eight floats of a pass over m samples: forward, and for training also the gradient
   of the weights and of the activations, which the first layer does not need. */
static double pass_issues(size_t m, bool training)
{
  double sum = 0.0;

  for (size_t l = 1; l <= LAYERS; l++) {
    const double weights = (double)width[l] * (double)width[l - 1];

    sum += weights * (training ? (l > 1 ? 3.0 : 2.0) : 1.0);
  }
  return sum * (double)m / 8.0;
}

static PetscErrorCode tell_training(bench *b)
{
  trained *t = &b->training;
  double accuracy;

  PetscCall(ip_snapshot_take(t->network, t->data->x, t->snapshot));
  ip_snapshot_score(t->snapshot, t->set.y, t->set.n_train, t->set.train, &b->loss, &accuracy);
  printf(" issues=%.0f loss=%.9g", pass_issues(t->set.n_train, true), b->loss);
  return PETSC_SUCCESS;
}

static PetscErrorCode tell_loss(bench *b)
{
  printf(" loss=%.9g", b->loss);
  return PETSC_SUCCESS;
}

static PetscErrorCode tell_slow_training(bench *b)
{
  const ip_reference_set all = gather(b, b->training.set.train, b->training.set.n_train);

  PetscCall(ip_reference_loss(b->slow.network, &all, &b->loss, NULL, NULL));
  return tell_loss(b);
}

static PetscErrorCode tell_forward(bench *b)
{
  double accuracy;

  ip_snapshot_score(b->look.snapshot, b->look.set.y, b->look.set.n_train, b->look.set.train,
                    &b->loss, &accuracy);
  printf(" issues=%.0f", pass_issues(b->look.set.n, false));
  return tell_loss(b);
}

/* Beside a pass, the squares of what enters and of the error that leaves each layer: their product
   is the square of a sample's gradient. */
static PetscErrorCode tell_gradients(bench *b)
{
  const size_t quarter = b->look.set.n_train / 4, m = quarter < BATCH ? quarter : BATCH,
               seen = b->look.set.n_train / m * m;
  double squares_of = 0.0;

  for (size_t l = 1; l <= LAYERS; l++) squares_of += (double)width[l] + (double)width[l - 1];
  printf(" issues=%.0f", pass_issues(seen, true) + squares_of * (double)seen / 8.0);
  for (size_t l = 0; l < LAYERS; l++)
    printf(" mean_norm_%zu=%.9g std_norm_%zu=%.9g sample_std_norm_%zu=%.9g", l + 1,
           b->gradient[l].mean_norm, l + 1, b->gradient[l].std_norm, l + 1,
           b->gradient[l].sample_std_norm);
  return PETSC_SUCCESS;
}

/* A multiply-add for each activation; each sample of a layer is found among the cells, and counted
   in its cell with its class. */
static PetscErrorCode tell_binning(bench *b)
{
  double units = 0.0;

  for (size_t l = 1; l <= LAYERS; l++) units += (double)width[l];
  printf(" issues=%.0f counts=%.0f", units * (double)b->look.set.n / 8.0,
         2.0 * LAYERS * (double)b->look.set.n);
  for (size_t l = 0; l < LAYERS; l++)
    printf(" i_xt_%zu=%.15g i_ty_%zu=%.15g", l + 1, b->out[l][0].i_xt, l + 1,
           b->out[l][0].i_ty);
  return PETSC_SUCCESS;
}

static PetscErrorCode tell_kde(bench *b)
{
  static const char *const bound[2] = {"upper", "lower"};
  double issues = 0.0;

  for (size_t l = 0; l < LAYERS; l++) {
    issues += bench_kde_issues(b->look.set.n, (size_t)width[l + 1]);
    for (size_t c = 0; c < 2; c++)
      printf(" %s_i_xt_%zu=%.12g %s_i_ty_%zu=%.12g", bound[c], l + 1, b->out[l][c].i_xt,
             bound[c], l + 1, b->out[l][c].i_ty);
  }
  printf(" issues=%.0f", issues);
  return PETSC_SUCCESS;
}

static const struct {
  const char *name;
  PetscErrorCode (*run)(bench *b), (*tell)(bench *b);
} kernel[] = {
    {"train",          train,          tell_training     },
    {"forward",        forward,        tell_forward      },
    {"gradients",      gradients,      tell_gradients    },
    {"binning",        binning,        tell_binning      },
    {"kde_all",        kde_all,        tell_kde          },
    {"kde",            kde,            tell_kde          },
    {"stretch",        stretch,        NULL              },
    {"slow_train",     slow_train,     tell_slow_training},
    {"slow_forward",   slow_forward,   tell_loss         },
    {"slow_gradients", slow_gradients, tell_gradients    },
    {"slow_binning",   slow_binning,   tell_binning      },
    {"slow_kde",       slow_kde,       tell_kde          },
};

/* ---- files --------------------------------------------------------------------------------------- */

static PetscErrorCode save(const bench *b, const char *name, size_t bytes, const void *array)
{
  char path[4096];

  snprintf(path, sizeof path, "%s/%s", b->folder, name);

  FILE *file = fopen(path, "wbe");
  const bool written = file && fwrite(array, 1, bytes, file) == bytes,
             closed = file && fclose(file) == 0;

  IP_CHECK(written && closed, IP_ERR_IO, "%s cannot be written", path);
  return PETSC_SUCCESS;
}

static PetscErrorCode save_data(bench *b)
{
  const trained *t = &b->look;
  const size_t n = t->set.n, n_train = t->set.n_train;

  PetscCall(save(b, "x", n * t->set.d * sizeof(float), t->set.x));
  PetscCall(save(b, "y", n * sizeof(int32_t), t->set.y));
  PetscCall(save(b, "train", n_train * sizeof(uint32_t), t->set.train));
  order_of(t, IP_PURPOSE_SHUFFLE, 0, b->slow.order);
  PetscCall(save(b, "order", n_train * sizeof(uint32_t), b->slow.order));
  order_of(t, IP_PURPOSE_GRADIENT, 0, b->slow.order);
  PetscCall(save(b, "partition", n_train * sizeof(uint32_t), b->slow.order));
  return save(b, "start", b->slow.n * sizeof(float), ip_network_parameters(t->network));
}

static PetscErrorCode look(bench *b, uint64_t epoch)
{
  PetscCall(trained_look(&b->look, epoch));
  PetscCall(
      save(b, "weights", b->slow.n * sizeof(float), ip_network_parameters(b->look.network)));
  for (size_t l = 1; l <= LAYERS; l++) {
    const ip_layer layer = trained_layer(&b->look, l);
    char name[32];
    float *dense = NULL;

    PetscCall(IP_ALLOCATE(layer.d * layer.n, &dense));
    for (size_t u = 0; u < layer.d; u++)
      memcpy(dense + u * layer.n, layer.t + u * layer.stride, layer.n * sizeof *dense);
    snprintf(name, sizeof name, "layer_%zu", l);

    const PetscErrorCode code = save(b, name, layer.d * layer.n * sizeof *dense, dense);

    ip_release(&dense);
    PetscCall(code);
  }
  return PETSC_SUCCESS;
}

/* ---- from the first to the last line ------------------------------------------------------------- */

static PetscErrorCode prepare_slow(bench *b)
{
  const ip_network_shape shape = {.layers = LAYERS,
                                  .width = width,
                                  .activation =
                                      (size_t)ip_names_find(ip_activation_name, "tanh"),
                                  .output = IP_OUTPUT_SOFTMAX};
  const size_t n = b->look.set.n;
  slow *s = &b->slow;

  s->n = ip_network_n_parameters(b->look.network);
  PetscCall(ip_reference_create(&shape, &s->network));
  PetscCall(IP_ALLOCATE(s->n, &s->gradient));
  PetscCall(IP_ALLOCATE(s->n, &s->first));
  PetscCall(IP_ALLOCATE(s->n, &s->second));
  PetscCall(IP_ALLOCATE(n * b->look.set.d, &s->x));
  PetscCall(IP_ALLOCATE(n, &s->y));
  PetscCall(IP_ALLOCATE(n, &s->order));
  for (size_t l = 0; l < LAYERS; l++)
    PetscCall(IP_ALLOCATE(n * (size_t)width[l + 1], &s->t[l]));
  slow_look(b); /* not trained yet: the initial weights */
  return PETSC_SUCCESS;
}

static PetscErrorCode prepare(bench *b, int64_t samples)
{
  const size_t row = (size_t)ip_names_find(ip_estimator_name, "binning");

  PetscCall(trained_new(LAYERS, width, "tanh", IP_OUTPUT_SOFTMAX, samples, &b->look));
  PetscCall(trained_new(LAYERS, width, "tanh", IP_OUTPUT_SOFTMAX, samples, &b->training));
  PetscCall(ip_workspace_create(&b->work));
  PetscCall(ip_column_default(ip_estimator_row(row), &b->binning));
  PetscCall(bench_kde_columns(noise, 0.0, b->all));
  PetscCall(bench_kde_columns(noise, tolerance, b->pruned));
  PetscCall(prepare_slow(b));
  return save_data(b);
}

static void clear(bench *b)
{
  slow *s = &b->slow;

  trained_free(&b->look);
  trained_free(&b->training);
  ip_workspace_destroy(&b->work);
  ip_reference_destroy(&s->network);
  ip_release(&s->gradient);
  ip_release(&s->first);
  ip_release(&s->second);
  ip_release(&s->x);
  ip_release(&s->y);
  ip_release(&s->order);
  for (size_t l = 0; l < LAYERS; l++) ip_release(&s->t[l]);
}

static PetscErrorCode time_kernel(bench *b, const char *name, uint64_t count)
{
  size_t k = 0;

  while (k < sizeof kernel / sizeof *kernel && strcmp(name, kernel[k].name) != 0) k++;
  IP_CHECK(k < sizeof kernel / sizeof *kernel, IP_ERR_USAGE, "there is no kernel \"%s\"", name);

  const double begun = bench_now();

  for (uint64_t i = 0; i < count; i++) PetscCall(kernel[k].run(b));
  printf("%.9g", (bench_now() - begun) / (double)count);
  return kernel[k].tell ? kernel[k].tell(b) : PETSC_SUCCESS;
}

static PetscErrorCode serve(bench *b)
{
  char line[256];

  while (fgets(line, sizeof line, stdin)) {
    char *end = line + strcspn(line, " \n");
    const uint64_t number = strtoull(end, NULL, 10);

    *end = 0;
    if (strcmp(line, "look") == 0) {
      PetscCall(look(b, number));
      printf("0");
    } else if (strcmp(line, "probe") == 0) {
      printf("%.9g", bench_probe());
    } else if (strcmp(line, "probe_count") == 0) {
      printf("%.9g", bench_probe_count());
    } else {
      PetscCall(time_kernel(b, line, number > 0 ? number : 1));
    }
    printf("\n");
    fflush(stdout);
  }
  return PETSC_SUCCESS;
}

int main(int argc, char **argv)
{
  bench b = {.folder = argc > 1 ? argv[1] : "."};

  if (argc < 2) {
    fprintf(stderr, "usage: bench_kernels FOLDER [SAMPLES]\n");
    return 64;
  }
  PetscPushErrorHandler(ip_error_handler, NULL);
  ip_denormals_flush(); /* as a run does */

  PetscErrorCode code = prepare(&b, argc > 2 ? strtoll(argv[2], NULL, 10) : 0);

  if (!code) code = serve(&b);
  if (code) fprintf(stderr, "bench_kernels: %s\n", ip_error_message());
  clear(&b);
  return code ? 1 : 0;
}
