/* The joint distribution of the symmetric rule with stochastic labels: inputs of the same f are one
   value of x, since p(y|x) depends on f alone.

   f is computed from the pattern and rounded to 1e-9: patterns that a symmetry maps onto each
   other differ in its last bits, and so in those of p(y|x).  Different f are 0.026 apart at
   least; rounding p(y|x) instead would join the flat ends of the rule. */

#include <infoplane/dataset.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One pattern of the data. */
typedef struct {
  int64_t f; /* in units of 1e-9 */
  size_t at;
} ranked;

static int by_f(const void *a, const void *b)
{
  const ranked *left = a, *right = b;

  if (left->f != right->f) return left->f < right->f ? -1 : 1;
  return left->at < right->at ? -1 : 1;
}

static int64_t rounded_f(size_t d, const float x[])
{
  uint32_t pattern = 0;

  for (size_t i = 0; i < d; i++) pattern = pattern << 1 | (x[i] > 0.5F);
  return (int64_t)rint(ip_symmetric_f(pattern) * 1e9);
}

/* p(x) and p(y|x) of the groups, that of a group's first pattern; returns how many there are. */
static size_t fill(const ip_dataset *data, const ranked order[], double weight[], double p[])
{
  const size_t k = (size_t)data->k;
  size_t groups = 0, first = 0;

  for (size_t i = 0; i < data->n; i++) {
    if (i > 0 && order[i].f == order[first].f) {
      weight[groups - 1] = (double)(i - first + 1) / (double)data->n;
      continue;
    }
    first = i;
    memcpy(p + groups * k, data->p + order[i].at * k, k * sizeof *p);
    weight[groups++] = 1.0 / (double)data->n;
  }
  return groups;
}

static PetscErrorCode check(const ip_dataset_spec *spec, const ip_dataset *data)
{
  const ip_dataset_kind *row = ip_dataset_row(spec->kind);

  IP_CHECK(row != NULL, IP_ERR_CONFIG, "dataset.name: there is no row %zu", spec->kind);
  IP_CHECK(
      spec->labels == IP_LABELS_STOCHASTIC && data->p, IP_ERR_CONFIG,
      "dataset.labels: %s; with certain labels the information-bottleneck curve is the line "
      "I(T;Y) = I(X;T) up to H(Y), and its slope is 1 whatever beta is; set "
      "dataset.name=symmetric and dataset.labels=stochastic",
      ip_labels_name(spec->labels) ? ip_labels_name(spec->labels) : "none");
  IP_CHECK(
      strcmp(row->name, "symmetric") == 0 && data->d == 12, IP_ERR_CONFIG,
      "dataset.name: %s of %zu features has no f to group its inputs by; only symmetric has",
      row->name, data->d);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_dataset_joint(const ip_dataset_spec *spec, const ip_dataset *data, size_t *n,
                                double **weight, double **p)
{
  const size_t k = (size_t)data->k;
  ranked *order = NULL;
  double *of_x = NULL, *of_y = NULL;
  size_t groups = 0;

  PetscCall(check(spec, data));

  PetscErrorCode code = IP_ALLOCATE(data->n, &order);

  if (!code) code = IP_ALLOCATE(data->n, &of_x);
  if (!code) code = IP_ALLOCATE(data->n * k, &of_y);
  if (!code) {
    for (size_t i = 0; i < data->n; i++)
      order[i] = (ranked){.f = rounded_f(data->d, data->x + i * data->d), .at = i};
    qsort(order, data->n, sizeof *order, by_f);
    groups = fill(data, order, of_x, of_y);
  } else {
    ip_release(&of_x);
    ip_release(&of_y);
  }
  ip_release(&order);
  PetscCall(code);
  *n = groups;
  *weight = of_x;
  *p = of_y;
  return PETSC_SUCCESS;
}
