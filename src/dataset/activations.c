/* Activations of a network that was trained elsewhere, whatever file holds them. */

#include "container.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { LARGEST_LABEL = 65535, BLOCK = 1 << 16, EXACT = 1 << 24 };
static const double slack = 1e-6, exact = 1e-12; /* of the sum of a row of p(y|x) */

/* ---- arrays --------------------------------------------------------------------------------------- */

/* The array of this name, with at most `rank` axes; -1: there is none. */
static PetscErrorCode find(const container *c, const char *name, size_t rank, int *array)
{
  *array = container_find(c, name);
  if (*array < 0) return PETSC_SUCCESS;

  const container_array *a = &c->array[*array];

  IP_CHECK(!a->refused, IP_ERR_DATA, "%s: %s %s", c->path, name, a->refused);
  IP_CHECK(a->rank <= rank, IP_ERR_DATA, "%s: %s has %zu axes; at most %zu are meant", c->path,
           name, a->rank, rank);
  return PETSC_SUCCESS;
}

/* A whole array of one axis, *n = 0 where there is none; release it. */
static PetscErrorCode read_list(container *c, const char *name, size_t *n, double **value)
{
  int array;
  double *list = NULL;

  *n = 0;
  PetscCall(find(c, name, 1, &array));
  if (array < 0) return PETSC_SUCCESS;
  PetscCall(IP_ALLOCATE((size_t)c->array[array].size[0], &list));

  const PetscErrorCode code =
      c->kind->read(c, (size_t)array, 0, 0, c->array[array].size[0], list);

  if (code) ip_release(&list);
  PetscCall(code);
  *n = (size_t)c->array[array].size[0];
  *value = list;
  return PETSC_SUCCESS;
}

static PetscErrorCode check_whole(const container *c, const char *name, double value, size_t i,
                                  double most)
{
  IP_CHECK(value >= 0 && value <= most && value == rint(value), IP_ERR_DATA,
           "%s: %s: element %zu is %g, not a whole number 0 .. %.0f", c->path, name, i, value,
           most);
  return PETSC_SUCCESS;
}

/* ---- shapes -------------------------------------------------------------------------------------------- */

static PetscErrorCode list_names(const container *c, ip_text *names)
{
  PetscCall(ip_text_add(names, c->n ? "it holds" : "it is empty"));
  for (size_t i = 0; i < c->n && i < 20; i++)
    PetscCall(ip_text_add(names, " %s", c->array[i].name));
  return PETSC_SUCCESS;
}

static PetscErrorCode refuse_no_layers(const container *c)
{
  ip_text names = {0};
  PetscErrorCode code = list_names(c, &names);

  if (!code)
    code = ip_error_raise(
        IP_ERR_DATA, __func__,
        "%s: has no layer_1; layers are named layer_1, layer_2, ... and have the "
        "shape (epoch, sample, unit) or (sample, unit); %s",
        c->path, names.text);
  ip_text_clear(&names);
  return code;
}

/* k of "layer_<k>"; 0 for all other names. */
static unsigned long layer_number(const char *name)
{
  static const char prefix[] = "layer_";
  const char *digits = name + sizeof prefix - 1;
  char *end = NULL;

  if (strncmp(name, prefix, sizeof prefix - 1) != 0 || *digits < '1' || *digits > '9') return 0;
  const unsigned long number = strtoul(digits, &end, 10);

  return *end == '\0' ? number : 0;
}

/* Layer numbers must have no gap: what lies behind one would be left out in silence. */
static PetscErrorCode count_layers(const container *c, ip_activations *a)
{
  unsigned long last = 0;

  for (size_t i = 0; i < c->n; i++) {
    const unsigned long number = layer_number(c->array[i].name);

    a->n_layers += number > 0;
    if (number > last) last = number;
  }
  if (last == 0) return refuse_no_layers(c);
  for (size_t l = 1; l <= a->n_layers; l++) {
    char name[CONTAINER_NAME];

    snprintf(name, sizeof name, "layer_%zu", l);
    IP_CHECK(container_find(c, name) >= 0, IP_ERR_DATA,
             "%s: has a layer_%lu, but no %s: number the layers 1, 2, ... without a gap",
             c->path, last, name);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode take_shape(const container *c, size_t layer, ip_activations *a)
{
  char name[CONTAINER_NAME];
  int array;

  snprintf(name, sizeof name, "layer_%zu", layer);
  PetscCall(find(c, name, 3, &array));

  const container_array *s = &c->array[array];

  IP_CHECK(s->rank >= 2, IP_ERR_DATA,
           "%s: %s has one axis; layers are (epoch, sample, unit) or (sample, unit)", c->path,
           name);

  const uint64_t n = s->size[s->rank - 2], d = s->size[s->rank - 1],
                 epochs = s->rank == 3 ? s->size[0] : 1;

  IP_CHECK(n <= INT32_MAX && d <= INT32_MAX && epochs < INT32_MAX, IP_ERR_DATA,
           "%s: %s has an axis of 2^31 or more", c->path, name);
  if (layer == 1) {
    a->n = (size_t)n;
    a->n_epochs = (size_t)epochs;
  }
  IP_CHECK(n == a->n && epochs == a->n_epochs, IP_ERR_DATA,
           "%s: %s has %" PRIu64 " samples at %" PRIu64
           " epochs, layer_1 has %zu at %zu: all layers see the same samples",
           c->path, name, n, epochs, a->n, a->n_epochs);
  a->width[layer - 1] = (int32_t)d;
  a->rounds = a->rounds || s->width > sizeof(float);
  return PETSC_SUCCESS;
}

static PetscErrorCode take_epochs(container *c, ip_activations *a)
{
  size_t n = 0;
  double *value = NULL;
  PetscErrorCode code = PETSC_SUCCESS;

  PetscCall(IP_ALLOCATE(a->n_epochs, &a->epoch));
  for (size_t e = 0; e < a->n_epochs; e++) a->epoch[e] = (int32_t)e;
  PetscCall(read_list(c, "epoch", &n, &value));
  if (n == 0) return PETSC_SUCCESS;
  if (n != a->n_epochs)
    code =
        ip_error_raise(IP_ERR_DATA, __func__, "%s: epoch names %zu, but layers have %zu epochs",
                       c->path, n, a->n_epochs);
  for (size_t e = 0; e < n && !code; e++) {
    code = check_whole(c, "epoch", value[e], e, INT32_MAX - 1);
    if (!code && e > 0 && !(value[e] > value[e - 1]))
      code = ip_error_raise(IP_ERR_DATA, __func__,
                            "%s: epoch %g comes after epoch %g: they must ascend, each once",
                            c->path, value[e], value[e - 1]);
    if (!code) a->epoch[e] = (int32_t)value[e];
  }
  ip_release(&value);
  return code;
}

static PetscErrorCode take_subset(container *c, const char *name, size_t most, size_t *n,
                                  uint32_t **subset)
{
  double *value = NULL;
  PetscErrorCode code;

  PetscCall(read_list(c, name, n, &value));
  code = IP_ALLOCATE(*n, subset);
  for (size_t i = 0; i < *n && value && !code; i++) {
    code = check_whole(c, name, value[i], i, (double)most - 1);
    if (!code) (*subset)[i] = (uint32_t)value[i];
  }
  ip_release(&value);
  return code;
}

static PetscErrorCode survey(container *c, ip_activations *a)
{
  PetscCall(count_layers(c, a));
  PetscCall(IP_ALLOCATE(a->n_layers, &a->width));
  for (size_t l = 1; l <= a->n_layers; l++) PetscCall(take_shape(c, l, a));
  PetscCall(take_epochs(c, a));
  a->has_inputs = container_find(c, "layer_0") >= 0 || container_find(c, "x_id") >= 0;
  PetscCall(take_subset(c, "train", a->n, &a->split.n_train, &a->split.train));
  return take_subset(c, "test", a->n, &a->split.n_test, &a->split.test);
}

PetscErrorCode ip_activations_open(const char *path, ip_activations **activations)
{
  ip_activations *a = NULL;
  container *c = NULL;

  PetscCall(IP_ALLOCATE(1, &a));
  PetscErrorCode code = container_open(path, &c);

  a->container = c;
  if (!code) code = survey(c, a);
  if (code)
    ip_activations_close(&a);
  else
    *activations = a;
  return code;
}

void ip_activations_close(ip_activations **activations)
{
  ip_activations *a = *activations;
  container *c;

  if (!a) return;
  c = a->container;
  container_close(&c);
  ip_release(&a->epoch);
  ip_release(&a->width);
  ip_release(&a->split.train);
  ip_release(&a->split.test);
  ip_release(activations);
}

static PetscErrorCode rehearse(void *path)
{
  ip_activations *a = NULL;

  return ip_activations_open(path, &a);
}

static PetscErrorCode probe(const char *path, PetscErrorCode (*read)(void *), void *context)
{
  const container_kind *kind = NULL;

  PetscCall(container_recognize(path, &kind));
  return kind->crashes ? ip_file_probe(path, kind->name, read, context) : PETSC_SUCCESS;
}

PetscErrorCode ip_activations_probe(const char *path)
{
  return probe(path, rehearse, (void *)path);
}

/* ---- layers ----------------------------------------------------------------------------------------------- */

/* Rows of samples of one array, a block at a time. */
typedef struct {
  container *c;
  size_t array, n, d;
  uint64_t outer;
} source;

/* Where they go: t[sample * by_sample + unit * by_unit]; finite: no NaN or infinity was seen. */
typedef struct {
  size_t by_sample, by_unit;
  float *t;
  bool finite;
} target;

static PetscErrorCode refuse_number(const source *s, size_t sample, size_t unit, double value)
{
  return ip_error_raise(IP_ERR_DATA, __func__,
                        "%s: %s, place %" PRIu64
                        " of its first axis, sample %zu, unit %zu is %g, "
                        "larger than any float32 number",
                        s->c->path, s->c->array[s->array].name, s->outer, sample, unit, value);
}

static PetscErrorCode take_block(const source *s, size_t first, size_t rows,
                                 const double *block, target *to)
{
  for (size_t i = 0; i < rows; i++)
    for (size_t u = 0; u < s->d; u++) {
      const double value = block[i * s->d + u];
      const float t = (float)value;

      if (!isfinite(t) && isfinite(value)) return refuse_number(s, first + i, u, value);
      to->finite = to->finite && isfinite(t);
      to->t[(first + i) * to->by_sample + u * to->by_unit] = t;
    }
  return PETSC_SUCCESS;
}

/* To memory, or to a checksum. */
static PetscErrorCode read_array(const source *s, target *to, XXH3_state_t *hash)
{
  const size_t most = BLOCK / s->d > 0 ? BLOCK / s->d : 1;
  double *block = NULL;

  PetscCall(IP_ALLOCATE(most * s->d, &block));
  PetscErrorCode code = PETSC_SUCCESS;

  for (size_t first = 0; first < s->n && !code; first += most) {
    const size_t rows = s->n - first < most ? s->n - first : most;

    code = s->c->kind->read(s->c, s->array, s->outer, first, rows, block);
    if (!code && to) code = take_block(s, first, rows, block, to);
    if (!code && hash) XXH3_64bits_update(hash, block, rows * s->d * sizeof *block);
  }
  ip_release(&block);
  return code;
}

static source layer_of(const ip_activations *a, size_t e, size_t layer)
{
  container *c = a->container;
  char name[CONTAINER_NAME];

  snprintf(name, sizeof name, "layer_%zu", layer);
  return (source){.c = c,
                  .array = (size_t)container_find(c, name),
                  .n = a->n,
                  .d = (size_t)a->width[layer - 1],
                  .outer = e};
}

PetscErrorCode ip_activations_read(ip_activations *a, size_t e, size_t layer, size_t stride,
                                   float *t, bool *finite)
{
  const source s = layer_of(a, e, layer);
  target to = {.by_sample = 1, .by_unit = stride, .t = t, .finite = true};

  for (size_t u = 0; u < s.d; u++)
    for (size_t i = a->n; i < stride; i++) t[u * stride + i] = 0.0F;
  PetscCall(read_array(&s, &to, NULL));
  *finite = to.finite;
  return PETSC_SUCCESS;
}

/* ---- as a data set: inputs and labels ---------------------------------------------------------------------- */

/* The number of a sample stands for an input that nobody describes; float32 counts to 2^24. */
static void number_inputs(ip_dataset *data, const double id[])
{
  for (size_t i = 0; i < data->n; i++) {
    const double number = id ? id[i] : (double)i;

    data->x[i * data->d] = (float)fmod(number, EXACT);
    if (data->d > 1) data->x[i * data->d + 1] = (float)floor(number / EXACT);
  }
}

static PetscErrorCode check_ids(const container *c, size_t n, size_t ids, const double id[])
{
  IP_CHECK(ids == 0 || ids == n, IP_ERR_DATA, "%s: x_id has %zu elements, layers %zu samples",
           c->path, ids, n);
  for (size_t i = 0; i < ids; i++)
    PetscCall(check_whole(c, "x_id", id[i], i, (double)EXACT * EXACT - 1));
  return PETSC_SUCCESS;
}

/* From x_id, else layer_0, else every sample is an input of its own. */
static PetscErrorCode load_inputs(container *c, ip_dataset *data)
{
  size_t ids = 0;
  double *id = NULL;
  int array;

  PetscCall(find(c, "layer_0", 3, &array));
  PetscCall(read_list(c, "x_id", &ids, &id));

  const bool described = array >= 0 && ids == 0;
  const container_array *s = described ? &c->array[array] : NULL;
  PetscErrorCode code = check_ids(c, data->n, ids, id);

  if (!code && described && (s->rank < 2 || s->size[s->rank - 2] != data->n))
    code = ip_error_raise(IP_ERR_DATA, __func__,
                          "%s: layer_0 has not the %zu samples of layer_1", c->path, data->n);
  data->d = described ? (size_t)c->array[array].size[c->array[array].rank - 1] : 2;
  if (!described && ids == 0 && data->n <= EXACT) data->d = 1;
  if (!code) code = IP_ALLOCATE(data->n * data->d, &data->x);
  if (!code && described) {
    const source from = {.c = c, .array = (size_t)array, .n = data->n, .d = data->d};
    target to = {.by_sample = data->d, .by_unit = 1, .t = data->x, .finite = true};

    code = read_array(&from, &to, NULL); /* the front door of the data sets wants it finite */
  } else if (!code)
    number_inputs(data, id);
  ip_release(&id);
  return code;
}

static PetscErrorCode take_labels(const container *c, const double y[], ip_dataset *data)
{
  data->k = 2;
  for (size_t i = 0; i < data->n; i++) {
    PetscCall(check_whole(c, "y", y[i], i, LARGEST_LABEL));
    data->y[i] = (int32_t)y[i];
    if (data->y[i] >= data->k) data->k = data->y[i] + 1;
  }
  return PETSC_SUCCESS;
}

/* One row of (sample, class); *certain stays where it has a single 1. */
static PetscErrorCode check_row(const container *c, size_t i, size_t k, double p[],
                                int32_t *likeliest, bool *certain)
{
  double sum = 0.0;
  size_t best = 0;

  for (size_t j = 0; j < k; j++) {
    IP_CHECK(p[j] >= 0.0 && p[j] <= 1.0, IP_ERR_DATA,
             "%s: y: sample %zu, class %zu is %g; (sample, class) is one-hot or p(y|x)",
             c->path, i, j, p[j]);
    sum += p[j];
    if (p[j] > p[best]) best = j;
  }
  IP_CHECK(fabs(sum - 1.0) <= slack, IP_ERR_DATA,
           "%s: y: the row of sample %zu has the sum %g, not 1; (sample, class) is one-hot or "
           "p(y|x)",
           c->path, i, sum);
  for (size_t j = 0; j < k && fabs(sum - 1.0) > exact; j++) p[j] /= sum;
  *certain = *certain && p[best] == 1.0;
  *likeliest = (int32_t)best;
  return PETSC_SUCCESS;
}

static PetscErrorCode take_rows(const container *c, size_t k, double p[], ip_dataset *data)
{
  bool certain = true;

  data->k = (int32_t)k;
  for (size_t i = 0; i < data->n; i++)
    PetscCall(check_row(c, i, k, &p[i * k], &data->y[i], &certain));
  if (certain) return PETSC_SUCCESS;
  PetscCall(IP_ALLOCATE(data->n * k, &data->p));
  memcpy(data->p, p, data->n * k * sizeof *p);
  return PETSC_SUCCESS;
}

static PetscErrorCode load_labels(container *c, ip_dataset *data)
{
  int array;
  double *value = NULL;

  PetscCall(find(c, "y", 2, &array));
  IP_CHECK(
      array >= 0, IP_ERR_DATA,
      "%s: has no y: the labels, (sample) whole numbers from 0, or (sample, class) one-hot",
      c->path);

  const container_array *s = &c->array[array];
  const uint64_t k = s->rank == 2 ? s->size[1] : 1;

  IP_CHECK(s->size[0] == data->n, IP_ERR_DATA, "%s: y has %" PRIu64 " rows, layers %zu samples",
           c->path, s->size[0], data->n);
  IP_CHECK(k <= LARGEST_LABEL + 1, IP_ERR_DATA,
           "%s: y has %" PRIu64 " classes, at most %d are "
           "possible",
           c->path, k, LARGEST_LABEL + 1);
  PetscCall(IP_ALLOCATE(data->n, &data->y));
  PetscCall(IP_ALLOCATE(data->n * (size_t)k, &value));
  PetscErrorCode code = c->kind->read(c, (size_t)array, 0, 0, data->n, value);

  if (!code) code = k > 1 ? take_rows(c, (size_t)k, value, data) : take_labels(c, value, data);
  ip_release(&value);
  return code;
}

/* Classes that no sample has. */
static PetscErrorCode widen_classes(container *c, ip_dataset *data)
{
  size_t n = 0;
  double *classes = NULL;
  PetscErrorCode code;

  PetscCall(read_list(c, "classes", &n, &classes));
  code = n > 0 ? check_whole(c, "classes", classes[0], 0, LARGEST_LABEL + 1) : PETSC_SUCCESS;
  if (!code && n > 0 && !data->p && classes[0] > data->k) data->k = (int32_t)classes[0];
  ip_release(&classes);
  return code;
}

/* Epochs, widths, split and the last look: another file of the same shape is noticed. */
static PetscErrorCode fingerprint(ip_activations *a, uint64_t *sum)
{
  XXH3_state_t *hash = XXH3_createState();
  PetscErrorCode code = PETSC_SUCCESS;

  IP_CHECK(hash, IP_ERR_INTERNAL, "no memory left for a checksum");
  XXH3_64bits_reset(hash);
  XXH3_64bits_update(hash, a->epoch, a->n_epochs * sizeof *a->epoch);
  XXH3_64bits_update(hash, a->width, a->n_layers * sizeof *a->width);
  XXH3_64bits_update(hash, a->split.train, a->split.n_train * sizeof *a->split.train);
  XXH3_64bits_update(hash, a->split.test, a->split.n_test * sizeof *a->split.test);
  for (size_t l = 1; l <= a->n_layers && !code; l++) {
    const source s = layer_of(a, a->n_epochs - 1, l);

    code = read_array(&s, NULL, hash);
  }
  *sum = XXH3_64bits_digest(hash);
  XXH3_freeState(hash);
  return code;
}

static PetscErrorCode load_arrays(ip_activations *a, ip_dataset *data)
{
  container *c = a->container;

  data->n = a->n;
  PetscCall(load_inputs(c, data));
  PetscCall(load_labels(c, data));
  PetscCall(widen_classes(c, data));
  return fingerprint(a, &data->beside);
}

static PetscErrorCode load_here(const ip_dataset_spec *spec, ip_dataset *data)
{
  ip_activations *a = NULL;

  PetscCall(ip_activations_open(spec->path, &a));
  const PetscErrorCode code = load_arrays(a, data);

  ip_activations_close(&a);
  return code;
}

/* For the child process, whose memory goes with it. */
static PetscErrorCode rehearse_load(void *spec)
{
  ip_dataset data = {0};

  return load_here(spec, &data);
}

static PetscErrorCode load(const ip_dataset_spec *spec, ip_dataset *data)
{
  PetscCall(probe(spec->path, rehearse_load, (void *)spec));
  return load_here(spec, data);
}

const ip_dataset_kind ip_dataset_activations = {
    .name = "activations",
    .sentence =
        "layers of a network trained elsewhere, taken as float32; for infoplane estimate",
    .reference = "The HDF Group, HDF5; NumPy, numpy.lib.format",
    .needs_path = true,
    .given = true,
    .load = load,
};
