/* Which patterns train and which test. */

#include <infoplane/dataset.h>
#include <infoplane/rng.h>
#include <math.h>
#include <string.h>

const char *ip_split_rule_name(size_t i)
{
  static const char *const name[] = {
      [IP_SPLIT_RANDOM] = "random",
      [IP_SPLIT_IDNNS_PREFIX] = "idnns-prefix",
  };

  return i < sizeof name / sizeof name[0] ? name[i] : NULL;
}

size_t ip_split_train_size(double fraction, size_t n)
{
  return (size_t)rint(fraction * (double)n); /* halves to even; rint is exact everywhere */
}

static PetscErrorCode fill_random(size_t n, uint64_t seed, uint32_t replicate, ip_split *split)
{
  const ip_stream stream = {.seed = seed, .replicate = replicate, .purpose = IP_PURPOSE_SPLIT};
  uint32_t *order;

  split->n_test = n - split->n_train;
  PetscCall(IP_ALLOCATE(split->n_train, &split->train));
  PetscCall(IP_ALLOCATE(split->n_test, &split->test));
  PetscCall(IP_ALLOCATE(n, &order));
  ip_stream_permutation(&stream, 0, n, order);
  memcpy(split->train, order, split->n_train * sizeof *order);
  if (split->n_test > 0)
    memcpy(split->test, order + split->n_train, split->n_test * sizeof *order);
  ip_release(&order);
  return PETSC_SUCCESS;
}

static PetscErrorCode fill_prefix(size_t n, ip_split *split)
{
  const size_t first = ip_split_train_size(0.8, n);

  split->n_test = n - first;
  split->overlap = split->n_train > first ? split->n_train - first : 0;
  PetscCall(IP_ALLOCATE(split->n_train, &split->train));
  PetscCall(IP_ALLOCATE(split->n_test, &split->test));
  for (size_t i = 0; i < split->n_train; i++) split->train[i] = (uint32_t)i;
  for (size_t i = 0; i < split->n_test; i++) split->test[i] = (uint32_t)(first + i);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_split_create(ip_split_rule rule, double fraction, size_t n, uint64_t seed,
                               uint32_t replicate, ip_split **split)
{
  ip_split *made;

  IP_CHECK(fraction > 0 && fraction <= 1 && n <= INT32_MAX, IP_ERR_CONFIG,
           "train.fraction: %g of %zu patterns; above 0, up to 1 is meant", fraction, n);
  IP_CHECK(ip_split_train_size(fraction, n) > 0, IP_ERR_CONFIG,
           "train.fraction: %g of %zu patterns leaves nothing to train with", fraction, n);
  PetscCall(IP_ALLOCATE(1, &made));
  made->n_train = ip_split_train_size(fraction, n);

  const PetscErrorCode code =
      rule == IP_SPLIT_RANDOM ? fill_random(n, seed, replicate, made) : fill_prefix(n, made);

  if (code) ip_split_destroy(&made);
  PetscCall(code);
  *split = made;
  return PETSC_SUCCESS;
}

void ip_split_destroy(ip_split **split)
{
  if (!*split) return;
  ip_release(&(*split)->train);
  ip_release(&(*split)->test);
  ip_release(split);
}
