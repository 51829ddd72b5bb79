/* The labels that one replicate trains with. */

#include <infoplane/dataset.h>
#include <infoplane/rng.h>
#include <string.h>

const char *ip_labels_name(size_t i)
{
  static const char *const name[] = {
      [IP_LABELS_DETERMINISTIC] = "deterministic",
      [IP_LABELS_STOCHASTIC] = "stochastic",
      [IP_LABELS_SHUFFLED] = "shuffled",
  };

  return i < sizeof name / sizeof name[0] ? name[i] : NULL;
}

/* The class in whose share of [0, 1) u falls; the last one takes what rounding left over. */
static int32_t class_of(double u, int32_t k, const double p[])
{
  int32_t c = 0;

  while (c < k - 1 && u >= p[c]) u -= p[c++];
  return c;
}

static void draw(const ip_dataset *data, const ip_stream *stream, int32_t y[])
{
  for (size_t i = 0; i < data->n; i++)
    y[i] = class_of(ip_stream_uniform(stream, i), data->k, data->p + i * (size_t)data->k);
}

static PetscErrorCode shuffle(const ip_dataset *data, const ip_stream *stream, int32_t y[])
{
  uint32_t *order;

  PetscCall(IP_ALLOCATE(data->n, &order));
  ip_stream_permutation(stream, 0, data->n, order);
  for (size_t i = 0; i < data->n; i++) y[i] = data->y[order[i]];
  ip_release(&order);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_labels_draw(const ip_dataset *data, ip_labels labels, uint64_t seed,
                              uint32_t replicate, int32_t y[])
{
  ip_stream stream = {.seed = seed, .replicate = replicate, .purpose = IP_PURPOSE_LABEL};

  IP_CHECK(labels != IP_LABELS_STOCHASTIC || data->p, IP_ERR_CONFIG,
           "dataset.labels: stochastic, but this data set has no p(y|x)");
  switch (labels) {
  case IP_LABELS_DETERMINISTIC:
    memcpy(y, data->y, data->n * sizeof *y);
    break;
  case IP_LABELS_STOCHASTIC:
    draw(data, &stream, y);
    break;
  case IP_LABELS_SHUFFLED:
    stream.purpose = IP_PURPOSE_CONTROL;
    PetscCall(shuffle(data, &stream, y));
    break;
  }
  return PETSC_SUCCESS;
}
