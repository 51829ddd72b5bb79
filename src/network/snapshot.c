/* Activations of all layers over all patterns, and the score of the output. */

#include "inside.h"
#include <math.h>
#include <string.h>

/* Patterns that pass at once. */
enum { BLOCK = 256 };

struct ip_snapshot {
  size_t n, stride, layers;
  size_t floats; /* in room */
  int32_t units; /* of the output */
  ip_output output;
  float **layer;   /* shape (layers + 1), [0] unused; each (units, stride) */
  float *z;        /* of the output layer: (units, stride)                 */
  float *room;     /* all of the above in one piece                        */
  uint32_t *index; /* shape (BLOCK)                                        */
  ip_pass pass;
};

static PetscErrorCode fill(const ip_network *network, size_t n, ip_snapshot *snapshot)
{
  size_t rows = ip_units(network, network->layers), floats;

  *snapshot = (ip_snapshot){.n = n,
                            .stride = ip_round_up(n),
                            .layers = network->layers,
                            .units = network->width[network->layers],
                            .output = network->output};
  for (size_t l = 1; l <= network->layers; l++) rows += ip_units(network, l);
  IP_CHECK(!__builtin_mul_overflow(rows, snapshot->stride, &floats), IP_ERR_CONFIG,
           "no memory for the activations of %zu patterns", n);
  snapshot->floats = floats;
  PetscCall(IP_ALLOCATE(network->layers + 1, &snapshot->layer));
  PetscCall(IP_ALLOCATE(floats, &snapshot->room));
  PetscCall(IP_ALLOCATE((size_t)BLOCK, &snapshot->index));
  PetscCall(ip_pass_create(network, n < BLOCK ? n : BLOCK, false, &snapshot->pass));
  snapshot->z = snapshot->room;

  float *at = snapshot->z + ip_units(network, network->layers) * snapshot->stride;

  for (size_t l = 1; l <= network->layers; l++) {
    snapshot->layer[l] = at;
    at += ip_units(network, l) * snapshot->stride;
  }
  return PETSC_SUCCESS;
}

PetscErrorCode ip_snapshot_create(const ip_network *network, size_t n, ip_snapshot **snapshot)
{
  ip_snapshot *made;

  IP_CHECK(n >= 1 && n <= UINT32_MAX, IP_ERR_INTERNAL, "a look at %zu patterns", n);
  PetscCall(IP_ALLOCATE(1, &made));

  const PetscErrorCode code = fill(network, n, made);

  if (code) {
    ip_snapshot_destroy(&made);
    return code;
  }
  *snapshot = made;
  return PETSC_SUCCESS;
}

void ip_snapshot_destroy(ip_snapshot **snapshot)
{
  if (!*snapshot) return;
  ip_release(&(*snapshot)->layer);
  ip_release(&(*snapshot)->room);
  ip_release(&(*snapshot)->index);
  ip_pass_destroy(&(*snapshot)->pass);
  ip_release(snapshot);
}

/* Rows of a block into their place among all patterns. */
static void keep(const ip_snapshot *snapshot, size_t units, const float block[], size_t at,
                 float to[])
{
  for (size_t u = 0; u < units; u++)
    memcpy(to + u * snapshot->stride + at, block + u * snapshot->pass.stride,
           snapshot->pass.m * sizeof *to);
}

PetscErrorCode ip_snapshot_take(const ip_network *network, const float x[],
                                ip_snapshot *snapshot)
{
  ip_pass *pass = &snapshot->pass;

  IP_CHECK(snapshot->layers == network->layers &&
               snapshot->units == network->width[network->layers],
           IP_ERR_INTERNAL, "a look made for another network");
  for (size_t at = 0; at < snapshot->n; at += BLOCK) {
    const size_t m = snapshot->n - at < BLOCK ? snapshot->n - at : BLOCK;

    for (size_t s = 0; s < m; s++) snapshot->index[s] = (uint32_t)(at + s);
    ip_pass_load(network, m, snapshot->index, x, pass);
    ip_pass_forward(network, pass);
    for (size_t l = 1; l <= network->layers; l++)
      keep(snapshot, ip_units(network, l), pass->a[l], at, snapshot->layer[l]);
    keep(snapshot, (size_t)snapshot->units, pass->z, at, snapshot->z);
  }
  return PETSC_SUCCESS;
}

size_t ip_snapshot_stride(const ip_snapshot *snapshot)
{
  return snapshot->stride;
}

const float *ip_snapshot_layer(const ip_snapshot *snapshot, size_t layer)
{
  return snapshot->layer[layer];
}

bool ip_snapshot_is_finite(const ip_snapshot *snapshot)
{
  return ip_all_finite(snapshot->floats, snapshot->room); /* what lies past n is 0 */
}

/* ---- score ------------------------------------------------------------------------------- */

/* Cross-entropy of one pattern, nats; z: logits with `stride` between units. */
static double cross_entropy(const ip_snapshot *s, const float z[], int32_t label)
{
  const size_t units = (size_t)s->units;
  const int32_t first = units == 1 ? 1 : 0;
  double top = (double)z[0], sum = 0.0;

  if (s->output == IP_OUTPUT_SIGMOID) {
    for (size_t u = 0; u < units; u++) {
      const double logit = (double)z[u * s->stride];

      sum += ip_log1p_exp(label == (int32_t)u + first ? -logit : logit);
    }
    return sum;
  }
  for (size_t u = 1; u < units; u++) top = fmax(top, (double)z[u * s->stride]);
  for (size_t u = 0; u < units; u++) {
    const double below = (double)z[u * s->stride] - top;

    sum += below == 0.0 ? 1.0 : ip_exp(below);
  }
  return ip_log(sum) + (top - (double)z[(size_t)label * s->stride]);
}

static int32_t answer(const ip_snapshot *s, const float a[])
{
  size_t best = 0;

  if (s->units == 1) return s->output == IP_OUTPUT_SIGMOID && a[0] > 0.5F ? 1 : 0;
  for (size_t u = 1; u < (size_t)s->units; u++)
    if (a[u * s->stride] > a[best * s->stride]) best = u;
  return (int32_t)best;
}

void ip_snapshot_score(const ip_snapshot *snapshot, const int32_t y[], size_t m,
                       const uint32_t subset[], double *loss, double *accuracy)
{
  const float *a = snapshot->layer[snapshot->layers];
  double sum = 0.0;
  size_t right = 0;

  for (size_t i = 0; i < m; i++) {
    const uint32_t at = subset[i];

    sum += cross_entropy(snapshot, snapshot->z + at, y[at]);
    right += answer(snapshot, a + at) == y[at] ? 1 : 0;
  }
  *loss = m > 0 ? sum / (double)m : (double)NAN;
  *accuracy = m > 0 ? (double)right / (double)m : (double)NAN;
}
