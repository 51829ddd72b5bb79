/* The distinct data sets of a study. */

#include "grid.h"
#include <inttypes.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static bool same_text(const char *a, const char *b)
{
  return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_spec(const ip_dataset_spec *a, const ip_dataset_spec *b)
{
  return a->kind == b->kind && same_text(a->path, b->path) &&
         same_text(a->labels_path, b->labels_path) && a->labels == b->labels &&
         a->gamma == b->gamma && a->samples == b->samples &&
         a->keyed_choice == b->keyed_choice && a->seed == b->seed;
}

int32_t data_find(const ip_data *data, const ip_value *const value[])
{
  const ip_dataset_spec spec = grid_dataset(value);

  for (size_t i = 0; i < data->n; i++)
    if (same_spec(&data->spec[i], &spec)) return (int32_t)i;
  return -1;
}

/* One more data set in arrays that have room for it. */
static PetscErrorCode add(ip_data *data, const ip_value *const value[])
{
  ip_text label = {0};

  data->spec[data->n] = grid_dataset(value);
  PetscErrorCode code = ip_dataset_label(&data->spec[data->n], &label);
  data->label[data->n++] = label.text;
  return code;
}

static PetscErrorCode list(const ip_options *options, ip_data *data)
{
  size_t room = 0;
  grid g;

  for (size_t b = 0; b < options->n_blocks; b++)
    for (grid_begin(&g, &options->block[b], GRID_DATA); !g.end; grid_next(&g)) room++;
  PetscCall(IP_ALLOCATE(room, &data->spec));
  PetscCall(IP_ALLOCATE(room, &data->label));
  PetscCall(IP_ALLOCATE(room, &data->set));
  PetscCall(IP_ALLOCATE(room, &data->checksum));
  PetscCall(IP_ALLOCATE(room, &data->assumed));
  for (size_t b = 0; b < options->n_blocks; b++)
    for (grid_begin(&g, &options->block[b], GRID_DATA); !g.end; grid_next(&g))
      if (data_find(data, g.value) < 0) PetscCall(add(data, g.value));
  return PETSC_SUCCESS;
}

PetscErrorCode ip_data_create(const ip_options *options, ip_data **data)
{
  ip_data *d = NULL;

  PetscCall(IP_ALLOCATE(1, &d));

  const PetscErrorCode code = list(options, d);

  if (code != PETSC_SUCCESS) {
    ip_data_destroy(&d);
    return code;
  }
  *data = d;
  return PETSC_SUCCESS;
}

static void seal(ip_data *data, size_t i)
{
  const ip_dataset *s = data->set[i];
  const uint64_t shape[3] = {s->n, s->d, (uint64_t)s->k};
  const size_t classes = (size_t)s->k;
  uint64_t part[5] = {XXH3_64bits(shape, sizeof shape),
                      XXH3_64bits(s->x, s->n * s->d * sizeof *s->x),
                      XXH3_64bits(s->y, s->n * sizeof *s->y), 0, s->beside};

  if (s->p) part[3] = XXH3_64bits(s->p, s->n * classes * sizeof *s->p);
  data->checksum[i] = XXH3_64bits(part, (s->beside ? 5 : 4) * sizeof part[0]);
}

void ip_data_seal(ip_data *data)
{
  for (size_t i = 0; i < data->n; i++) seal(data, i);
}

PetscErrorCode ip_data_load(ip_data *data)
{
  for (size_t i = 0; i < data->n; i++) {
    if (data->set[i]) continue;
    PetscCall(ip_dataset_load(&data->spec[i], &data->set[i]));
    seal(data, i);
  }
  return PETSC_SUCCESS;
}

/* ---- without patterns ------------------------------------------------------------------------ */

static PetscErrorCode keep_curve(const ip_data_shape *shape, ip_data_shape *kept)
{
  ip_bound_point *curve = NULL;

  if (shape->curve) {
    PetscCall(IP_ALLOCATE(shape->n_curve, &curve));
    memcpy(curve, shape->curve, shape->n_curve * sizeof *curve);
  }
  *kept = *shape;
  kept->curve = curve;
  return PETSC_SUCCESS;
}

static void forget_curve(ip_data_shape *assumed)
{
  ip_bound_point *curve = (ip_bound_point *)assumed->curve; /* ours */

  ip_release(&curve);
  *assumed = (ip_data_shape){0};
}

PetscErrorCode ip_data_assume(ip_data *data, size_t i, const ip_data_shape *shape)
{
  ip_dataset *set = NULL;
  const int64_t most = INT32_MAX;

  IP_CHECK(shape->n >= 1 && shape->n <= most && shape->d >= 1 && shape->d <= most &&
               shape->k >= 2 && shape->k <= most,
           IP_ERR_DATA,
           "%s: no data set has %" PRId64 " patterns, %" PRId64 " features and %" PRId64
           " classes",
           data->label[i], shape->n, shape->d, shape->k);
  PetscCall(IP_ALLOCATE(1, &set));
  set->n = (size_t)shape->n;
  set->d = (size_t)shape->d;
  set->k = (int32_t)shape->k;
  /* of p it is only asked whether it is there */
  PetscErrorCode code = shape->certain ? PETSC_SUCCESS : IP_ALLOCATE(1, &set->p);
  ip_data_shape kept = {0};

  if (!code) code = keep_curve(shape, &kept);
  if (code) {
    ip_dataset_destroy(&set);
    return code;
  }
  ip_dataset_destroy(&data->set[i]);
  forget_curve(&data->assumed[i]);
  data->set[i] = set;
  data->assumed[i] = kept;
  data->checksum[i] = shape->checksum;
  return PETSC_SUCCESS;
}

PetscErrorCode ip_data_adopt(ip_data *data, const ip_data *known)
{
  for (size_t i = 0; i < data->n; i++)
    for (size_t j = 0; j < known->n; j++)
      if (known->assumed[j].n > 0 && same_spec(&data->spec[i], &known->spec[j]))
        PetscCall(ip_data_assume(data, i, &known->assumed[j]));
  return PETSC_SUCCESS;
}

/* ---- the bottleneck curve ---------------------------------------------------------------------- */

static PetscErrorCode solve_curve(const ip_data *data, size_t i, size_t n,
                                  ip_bound_point point[])
{
  double *beta = NULL, *weight = NULL, *p = NULL;
  size_t groups = 0;

  PetscCall(IP_ALLOCATE(n, &beta));
  for (size_t b = 0; b < n; b++) beta[b] = ip_bottleneck_beta(b);

  PetscErrorCode code = ip_dataset_joint(&data->spec[i], data->set[i], &groups, &weight, &p);
  const ip_joint joint = {.n = groups, .k = data->set[i]->k, .weight = weight, .p = p};

  if (code == PETSC_SUCCESS)
    code = ip_bottleneck_curve(&joint, IP_BOTTLENECK_SNES, n, beta, point);
  for (size_t b = 0; b < n && code == PETSC_SUCCESS; b++)
    if (!point[b].converged)
      code =
          ip_error_raise(IP_ERR_INTERNAL, __func__,
                         "%s: the bottleneck curve does not converge at beta %g (residual %g)",
                         data->label[i], point[b].beta, point[b].residual);
  ip_release(&beta);
  ip_release(&weight);
  ip_release(&p);
  return code;
}

PetscErrorCode ip_data_curve(const ip_data *data, size_t i, size_t n, ip_bound_point point[])
{
  const ip_data_shape *assumed = data->assumed ? &data->assumed[i] : NULL;

  if (!assumed || assumed->n == 0) return solve_curve(data, i, n, point);
  IP_CHECK(assumed->curve && assumed->n_curve == n, IP_ERR_INTERNAL,
           "%s: neither its patterns nor its bottleneck curve are known", data->label[i]);
  memcpy(point, assumed->curve, n * sizeof *point);
  return PETSC_SUCCESS;
}

void ip_data_destroy(ip_data **data)
{
  if (!*data) return;
  for (size_t i = 0; i < (*data)->n; i++) {
    ip_release(&(*data)->label[i]);
    ip_dataset_destroy(&(*data)->set[i]);
    forget_curve(&(*data)->assumed[i]);
  }
  ip_release(&(*data)->spec);
  ip_release(&(*data)->label);
  ip_release(&(*data)->set);
  ip_release(&(*data)->checksum);
  ip_release(&(*data)->assumed);
  ip_release(data);
}
