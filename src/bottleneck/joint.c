/* Joint distributions: their information, and equal rows found once.

     I(X;Y) = sum_x p(x) sum_y p(y|x) log2 (p(y|x) / p(y)) */

#include "joint.h"
#include <infoplane/numerics.h>
#include <math.h>

static const double rounding = 1e-9; /* of what adds to 1 */

static PetscErrorCode check_row(const ip_joint *joint, size_t x)
{
  const size_t k = (size_t)joint->k;
  const double *p = joint->p + x * k;

  IP_CHECK(joint->weight[x] > 0.0, IP_ERR_INTERNAL, "p(x) of row %zu is %g", x,
           joint->weight[x]);
  for (size_t y = 0; y < k; y++)
    IP_CHECK(p[y] >= 0.0, IP_ERR_INTERNAL, "p(y|x) of row %zu, class %zu, is %g", x, y, p[y]);
  IP_CHECK(fabs(ip_sum(k, p) - 1.0) <= rounding, IP_ERR_INTERNAL,
           "p(y|x) of row %zu adds to %.12g", x, ip_sum(k, p));
  return PETSC_SUCCESS;
}

PetscErrorCode ip_joint_check(const ip_joint *joint)
{
  IP_CHECK(1 <= joint->n && joint->n < UINT32_MAX && joint->k >= 2, IP_ERR_INTERNAL,
           "a joint distribution of %zu values of x and %d classes", joint->n, joint->k);
  for (size_t x = 0; x < joint->n; x++) PetscCall(check_row(joint, x));
  IP_CHECK(fabs(ip_sum(joint->n, joint->weight) - 1.0) <= rounding, IP_ERR_INTERNAL,
           "p(x) adds to %.12g", ip_sum(joint->n, joint->weight));
  return PETSC_SUCCESS;
}

double ip_joint_information(const ip_joint *joint)
{
  const size_t k = (size_t)joint->k;
  double sum = 0.0;

  for (size_t y = 0; y < k; y++) {
    double whole = 0.0;

    for (size_t x = 0; x < joint->n; x++) whole += joint->weight[x] * joint->p[x * k + y];
    for (size_t x = 0; x < joint->n; x++) {
      const double p = joint->p[x * k + y];

      if (p > 0.0) sum += joint->weight[x] * p * ip_log2(p / whole);
    }
  }
  return fmax(sum, 0.0);
}

PetscErrorCode ip_rows_number(size_t n, size_t k, const double value[], uint32_t id[],
                              size_t *different)
{
  const void **key;

  PetscCall(IP_ALLOCATE(n, &key));
  for (size_t i = 0; i < n; i++) key[i] = value + i * k;

  const PetscErrorCode code = ip_keys_number(n, key, k * sizeof *value, id, different);

  ip_release(&key);
  return code;
}
