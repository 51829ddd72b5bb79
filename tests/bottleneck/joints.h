#pragma once

/** @file
 *  Joint distributions to try: the rule of the paper, a binary symmetric channel, arbitrary ones.
 */

#include "check.h"
#include <infoplane/bottleneck.h>
#include <infoplane/dataset.h>
#include <infoplane/rng.h>

static inline double entropy2(double p)
{
  return p <= 0 || p >= 1 ? 0 : -p * log2(p) - (1 - p) * log2(1 - p);
}

/** A joint distribution that owns its arrays. */
typedef struct {
  ip_joint view;
  double *weight, *p;
} made_joint;

static inline made_joint joint_new(size_t n, int32_t k)
{
  made_joint j = {.weight = NULL};

  OK(IP_ALLOCATE(n, &j.weight));
  OK(IP_ALLOCATE(n * (size_t)k, &j.p));
  for (size_t x = 0; x < n; x++) j.weight[x] = 1.0 / (double)n;
  j.view = (ip_joint){.n = n, .k = k, .weight = j.weight, .p = j.p};
  return j;
}

static inline void joint_free(made_joint *j)
{
  ip_release(&j->weight);
  ip_release(&j->p);
}

/** k = 2 from p(y=1|x), equal weights. */
static inline made_joint joint_of(size_t n, const double one[])
{
  made_joint j = joint_new(n, 2);

  for (size_t x = 0; x < n; x++) j.p[2 * x] = 1 - one[x], j.p[2 * x + 1] = one[x];
  return j;
}

/** The rule of the paper; its 53 values of f, or all 4096 patterns. */
static inline made_joint joint_of_rule(double gamma, bool grouped)
{
  const ip_dataset_spec spec = {.labels = IP_LABELS_STOCHASTIC, .gamma = gamma};
  ip_dataset *data = NULL;
  double *weight = NULL, *p = NULL;
  size_t n = 0;
  made_joint j;

  OK(ip_dataset_load(&spec, &data));
  OK(ip_dataset_joint(&spec, data, &n, &weight, &p));
  j = joint_new(grouped ? n : data->n, 2);
  memcpy(j.p, grouped ? p : data->p, 2 * j.view.n * sizeof *p);
  if (grouped) memcpy(j.weight, weight, n * sizeof *weight);
  ip_release(&weight), ip_release(&p);
  ip_dataset_destroy(&data);
  return j;
}

/** Arbitrary, of a few outcomes for each x: powers of uniform numbers, some of them 0. */
static inline made_joint joint_random(size_t n, int32_t k, uint32_t key)
{
  const ip_stream stream = {.seed = 11, .replicate = key, .purpose = IP_PURPOSE_TEST};
  made_joint j = joint_new(n, k);
  double whole = 0;
  uint64_t counter = 0;

  for (size_t x = 0; x < n; x++) {
    double sum = 0;

    for (int32_t y = 0; y < k; y++) {
      const double u = ip_stream_uniform(&stream, counter++);
      double *p = &j.p[x * (size_t)k + (size_t)y];

      *p = u < 0.2 && y > 0 ? 0 : pow(u, 6);
      sum += *p;
    }
    for (int32_t y = 0; y < k; y++) j.p[x * (size_t)k + (size_t)y] /= sum;
    j.weight[x] = 0.05 + ip_stream_uniform(&stream, counter++);
    whole += j.weight[x];
  }
  for (size_t x = 0; x < n; x++) j.weight[x] /= whole;
  return j;
}
