/* Entropies of a subset of patterns, every pattern equally likely, equal inputs as one.

   I(X;Y) = H(Y) - (H(X,Y) - H(X)), in this order: what is a function of x loses no bit. */

#include <infoplane/dataset.h>
#include <infoplane/numerics.h>
#include <string.h>

static size_t pattern_at(const uint32_t subset[], size_t i)
{
  return subset ? subset[i] : i;
}

/* Entropy of numbers 0 .. different-1. */
static PetscErrorCode entropy_of(size_t m, const uint32_t id[], size_t different, double *h)
{
  uint32_t *count;

  PetscCall(IP_ALLOCATE(different, &count));
  for (size_t i = 0; i < m; i++) count[id[i]]++;
  *h = ip_entropy_counts(different, count);
  ip_release(&count);
  return PETSC_SUCCESS;
}

/* The m patterns looked at, and room for one number each: all of shape (m). */
typedef struct {
  const ip_dataset *data;
  size_t m;
  const uint32_t *subset;
  uint32_t *group; /* number of the input among the different ones */
  uint32_t *cell;  /* number of the label, then of (input, label)  */
  const void **key;
} work;

/* Labels are certain: H(Y) and H(X,Y) by counting. */
static PetscErrorCode count_labels(work *w, const int32_t y[], double *h_y, double *h_xy)
{
  uint64_t *pair;
  size_t cells = 0;

  for (size_t i = 0; i < w->m; i++) w->cell[i] = (uint32_t)y[pattern_at(w->subset, i)];
  PetscCall(entropy_of(w->m, w->cell, (size_t)w->data->k, h_y));
  PetscCall(IP_ALLOCATE(w->m, &pair));
  for (size_t i = 0; i < w->m; i++) {
    pair[i] = (uint64_t)w->group[i] << 32 | w->cell[i];
    w->key[i] = &pair[i];
  }

  PetscErrorCode code = ip_keys_number(w->m, w->key, sizeof *pair, w->cell, &cells);

  ip_release(&pair);
  if (!code) code = entropy_of(w->m, w->cell, cells, h_xy);
  return code;
}

/* Labels are not: the same with weights p(y|x), summed over equal inputs. */
static PetscErrorCode weigh_labels(const work *w, size_t groups, double *h_y, double *h_xy)
{
  const size_t k = (size_t)w->data->k;
  double *joint, *marginal;

  PetscCall(IP_ALLOCATE((groups + 1) * k, &joint));
  marginal = joint + groups * k;
  for (size_t i = 0; i < w->m; i++) {
    const double *p = w->data->p + pattern_at(w->subset, i) * k;

    for (size_t c = 0; c < k; c++) {
      joint[w->group[i] * k + c] += p[c];
      marginal[c] += p[c];
    }
  }
  *h_xy = ip_entropy_weights(groups * k, joint);
  *h_y = ip_entropy_weights(k, marginal);
  ip_release(&joint);
  return PETSC_SUCCESS;
}

static PetscErrorCode compute(work *w, const int32_t y[], ip_entropies *answer)
{
  const ip_dataset *data = w->data;
  size_t groups = 0;
  double h_xy = 0;

  PetscCall(IP_ALLOCATE(w->m, &w->group));
  PetscCall(IP_ALLOCATE(w->m, &w->cell));
  PetscCall(IP_ALLOCATE(w->m, &w->key));
  for (size_t i = 0; i < w->m; i++) w->key[i] = data->x + pattern_at(w->subset, i) * data->d;
  PetscCall(ip_keys_number(w->m, w->key, data->d * sizeof *data->x, w->group, &groups));
  PetscCall(entropy_of(w->m, w->group, groups, &answer->h_x));
  if (data->p)
    PetscCall(weigh_labels(w, groups, &answer->h_y, &h_xy));
  else
    PetscCall(count_labels(w, y, &answer->h_y, &h_xy));
  answer->i_xy = answer->h_y - (h_xy - answer->h_x);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_dataset_entropies(const ip_dataset *data, const int32_t y[], size_t m,
                                    const uint32_t subset[], ip_entropies *entropies)
{
  work w = {.data = data, .m = subset ? m : data->n, .subset = subset};
  ip_entropies answer = {0};

  IP_CHECK(1 <= w.m && w.m <= INT32_MAX, IP_ERR_INTERNAL, "entropies of %zu patterns", w.m);
  for (size_t i = 0; i < w.m; i++) {
    const size_t at = pattern_at(subset, i);

    IP_CHECK(at < data->n, IP_ERR_INTERNAL, "pattern %zu of %zu", at, data->n);
    IP_CHECK(data->p || (y && 0 <= y[at] && y[at] < data->k), IP_ERR_INTERNAL,
             "no label 0 .. %d for pattern %zu", data->k - 1, at);
  }

  const PetscErrorCode code = compute(&w, y, &answer);

  ip_release(&w.group);
  ip_release(&w.cell);
  ip_release(&w.key);
  PetscCall(code);
  *entropies = answer;
  return PETSC_SUCCESS;
}
