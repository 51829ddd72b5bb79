/* The front door of the data sets: the table, the checks around every load, the choice of
   samples. */

#include <infoplane/dataset.h>
#include <infoplane/rng.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define IP_DATASET(name) extern const ip_dataset_kind ip_dataset_##name;
#include "table.def"
#undef IP_DATASET

static const ip_dataset_kind *const table[] = {
#define IP_DATASET(name) &ip_dataset_##name,
#include "table.def"
#undef IP_DATASET
};

const ip_dataset_kind *ip_dataset_row(size_t i)
{
  return i < sizeof table / sizeof table[0] ? table[i] : NULL;
}

const char *ip_dataset_name(size_t i)
{
  const ip_dataset_kind *row = ip_dataset_row(i);

  return row ? row->name : NULL;
}

/* Refuse what cannot be asked of this kind of data set. */
static PetscErrorCode check_spec(const ip_dataset_spec *spec)
{
  const ip_dataset_kind *row = ip_dataset_row(spec->kind);

  IP_CHECK(row != NULL, IP_ERR_CONFIG, "dataset.name: there is no row %zu", spec->kind);
  IP_CHECK(!row->needs_path || (spec->path && spec->path[0]), IP_ERR_CONFIG,
           "dataset.path: %s reads a file; set dataset.path", row->name);
  IP_CHECK(ip_labels_name(spec->labels) != NULL, IP_ERR_CONFIG,
           "dataset.labels: there is no rule %d", (int)spec->labels);
  IP_CHECK(spec->labels != IP_LABELS_STOCHASTIC || strcmp(row->name, "symmetric") == 0,
           IP_ERR_CONFIG,
           "dataset.labels: stochastic needs p(y|x), which only symmetric has, not %s; set "
           "dataset.labels=deterministic",
           row->name);
  IP_CHECK(spec->labels != IP_LABELS_STOCHASTIC || (isfinite(spec->gamma) && spec->gamma > 0),
           IP_ERR_CONFIG, "dataset.gamma: %g; a finite number above 0 is meant", spec->gamma);
  IP_CHECK(spec->samples >= 0, IP_ERR_CONFIG,
           "dataset.samples: %" PRId64 "; at least 1, or all, is meant", spec->samples);
  return PETSC_SUCCESS;
}

/* Refuse what no network could learn from; -0 becomes 0, so that equal inputs have equal bits. */
static PetscErrorCode check_data(const char *from, const ip_dataset *data)
{
  IP_CHECK(data->n >= 1 && data->d >= 1 && data->k >= 2 && data->x && data->y, IP_ERR_INTERNAL,
           "%s: the reader left the data set unfinished", from);
  for (size_t i = 0; i < data->n * data->d; i++) {
    IP_CHECK(isfinite(data->x[i]), IP_ERR_DATA,
             "%s: feature %zu of pattern %zu is not a finite float32 number", from, i % data->d,
             i / data->d);
    data->x[i] += 0.0F;
  }
  for (size_t i = 0; i < data->n; i++)
    IP_CHECK(0 <= data->y[i] && data->y[i] < data->k, IP_ERR_DATA,
             "%s: label %d of pattern %zu is outside 0 .. %d", from, data->y[i], i,
             data->k - 1);
  return PETSC_SUCCESS;
}

/* Keep the patterns that are marked, in their order. */
static void keep_marked(const bool marked[], ip_dataset *data)
{
  const size_t d = data->d, k = (size_t)data->k;
  size_t kept = 0;

  for (size_t i = 0; i < data->n; i++) {
    if (!marked[i]) continue;
    memmove(data->x + kept * d, data->x + i * d, d * sizeof *data->x);
    data->y[kept] = data->y[i];
    if (data->p) memmove(data->p + kept * k, data->p + i * k, k * sizeof *data->p);
    kept++;
  }
  data->n = kept;
}

static PetscErrorCode choose(const ip_dataset_spec *spec, ip_dataset *data)
{
  const ip_stream stream = {.seed = spec->seed, .replicate = 0, .purpose = IP_PURPOSE_SAMPLES};
  const size_t m = (size_t)spec->samples;
  uint32_t *order;
  bool *marked;

  if (m == 0 || m == data->n) return PETSC_SUCCESS;
  IP_CHECK(m < data->n, IP_ERR_CONFIG, "dataset.samples: %zu; the data set has only %zu", m,
           data->n);
  if (!spec->keyed_choice) {
    data->n = m;
    return PETSC_SUCCESS;
  }
  PetscCall(IP_ALLOCATE(data->n, &order));

  const PetscErrorCode code = IP_ALLOCATE(data->n, &marked);

  if (!code) {
    ip_stream_permutation(&stream, 0, data->n, order);
    for (size_t i = 0; i < m; i++) marked[order[i]] = true;
    keep_marked(marked, data);
    ip_release(&marked);
  }
  ip_release(&order);
  return code;
}

static PetscErrorCode load(const ip_dataset_spec *spec, ip_dataset *data)
{
  const ip_dataset_kind *row = ip_dataset_row(spec->kind);

  PetscCall(row->load(spec, data));
  PetscCall(check_data(row->needs_path ? spec->path : row->name, data));
  return choose(spec, data);
}

PetscErrorCode ip_dataset_load(const ip_dataset_spec *spec, ip_dataset **data)
{
  ip_dataset *made;

  PetscCall(check_spec(spec));
  PetscCall(IP_ALLOCATE(1, &made));

  const PetscErrorCode code = load(spec, made);

  if (code) ip_dataset_destroy(&made);
  PetscCall(code);
  *data = made;
  return PETSC_SUCCESS;
}

static PetscErrorCode allocate(size_t values, size_t weights, ip_dataset *data)
{
  PetscCall(IP_ALLOCATE(values, &data->x));
  PetscCall(IP_ALLOCATE(data->n, &data->y));
  PetscCall(IP_ALLOCATE(weights, &data->p));
  return PETSC_SUCCESS;
}

PetscErrorCode ip_dataset_allocate(size_t n, size_t d, int32_t k, bool certain,
                                   ip_dataset **data)
{
  ip_dataset *made;
  size_t values, weights;

  IP_CHECK(n >= 1 && d >= 1 && k >= 2 && !__builtin_mul_overflow(n, d, &values) &&
               !__builtin_mul_overflow(n, (size_t)k, &weights),
           IP_ERR_INTERNAL, "a data set of %zu patterns, %zu features, %d classes", n, d, k);
  PetscCall(IP_ALLOCATE(1, &made));
  *made = (ip_dataset){.n = n, .d = d, .k = k};

  const PetscErrorCode code = allocate(values, certain ? 0 : weights, made);

  if (code) ip_dataset_destroy(&made);
  PetscCall(code);
  *data = made;
  return PETSC_SUCCESS;
}

void ip_dataset_destroy(ip_dataset **data)
{
  if (!*data) return;
  ip_release(&(*data)->x);
  ip_release(&(*data)->y);
  ip_release(&(*data)->p);
  ip_release(data);
}

PetscErrorCode ip_dataset_label(const ip_dataset_spec *spec, ip_text *text)
{
  const ip_dataset_kind *row = ip_dataset_row(spec->kind);

  IP_CHECK(row != NULL, IP_ERR_CONFIG, "dataset.name: there is no row %zu", spec->kind);
  PetscCall(ip_text_add(text, "%s", row->name));
  if (row->needs_path && spec->path) {
    const char *slash = strrchr(spec->path, '/');

    PetscCall(ip_text_add(text, " %s", slash ? slash + 1 : spec->path));
  }
  if (spec->labels != IP_LABELS_DETERMINISTIC)
    PetscCall(ip_text_add(text, ", %s", ip_labels_name(spec->labels)));
  if (spec->labels == IP_LABELS_STOCHASTIC) {
    char gamma[32];

    ip_real_format(spec->gamma, gamma);
    PetscCall(ip_text_add(text, ", gamma %s", gamma));
  }
  if (spec->samples > 0)
    PetscCall(ip_text_add(text, ", %" PRId64 " %ssamples", spec->samples,
                          spec->keyed_choice ? "random " : ""));
  return PETSC_SUCCESS;
}
