/* The same network, slow and obvious, in double: what the fast one is tested against.

       loss = mean over samples of  -ln softmax(z)_y,  or  sum over units of
              ln(1 + e^z) - [u is the class] z   (sigmoid). */

#include <infoplane/network.h>
#include <infoplane/numerics.h>
#include <math.h>
#include <string.h>

struct ip_reference {
  size_t layers, activation, n; /* n: parameters */
  ip_output output;
  int32_t *width;
  double *parameter;
};

static size_t units(const ip_reference *r, size_t layer)
{
  return (size_t)r->width[layer];
}

static size_t n_weights(const ip_reference *r, size_t layer)
{
  return units(r, layer) * units(r, layer - 1);
}

PetscErrorCode ip_reference_create(const ip_network_shape *shape, ip_reference **reference)
{
  ip_reference *r;
  PetscErrorCode code;

  PetscCall(IP_ALLOCATE(1, &r));
  r->layers = shape->layers;
  r->activation = shape->activation;
  r->output = shape->output;
  code = IP_ALLOCATE(shape->layers + 1, &r->width);
  if (!code) {
    memcpy(r->width, shape->width, (shape->layers + 1) * sizeof *r->width);
    for (size_t l = 1; l <= r->layers; l++) r->n += n_weights(r, l) + units(r, l);
    code = IP_ALLOCATE(r->n, &r->parameter);
  }
  if (code) {
    ip_reference_destroy(&r);
    return code;
  }
  *reference = r;
  return PETSC_SUCCESS;
}

void ip_reference_destroy(ip_reference **reference)
{
  if (!*reference) return;
  ip_release(&(*reference)->width);
  ip_release(&(*reference)->parameter);
  ip_release(reference);
}

double *ip_reference_parameters(ip_reference *reference)
{
  return reference->parameter;
}

/* ---- activations: value by z; slope by z ------------------------------------------------- */

static double value_tanh(double z)
{
  return ip_tanh(z);
}

static double slope_tanh(double z)
{
  return 1.0 - ip_tanh(z) * ip_tanh(z);
}

static double value_relu(double z)
{
  return z > 0.0 ? z : 0.0;
}

static double slope_relu(double z)
{
  return z > 0.0 ? 1.0 : 0.0;
}

static double value_sigmoid(double z)
{
  return ip_logistic(z);
}

static double slope_sigmoid(double z)
{
  return ip_logistic(z) * ip_logistic(-z);
}

static double value_softsign(double z)
{
  return z / (1.0 + fabs(z));
}

static double slope_softsign(double z)
{
  return 1.0 / ((1.0 + fabs(z)) * (1.0 + fabs(z)));
}

static double value_softplus(double z)
{
  return ip_log1p_exp(z);
}

static double slope_softplus(double z)
{
  return ip_logistic(z);
}

static double value_linear(double z)
{
  return z;
}

static double slope_linear(double z)
{
  (void)z;
  return 1.0;
}

static const struct {
  double (*value)(double z), (*slope)(double z);
} table[] = {
#define IP_ACTIVATION(name, sentence, low, high) {value_##name, slope_##name},
#include "activation.def"
#undef IP_ACTIVATION
};

/* ---- one sample -------------------------------------------------------------------------- */

/* z, a, delta of layer l of one sample begin at [start[l]]. */
typedef struct {
  size_t *start;
  double *z, *a, *delta;
} sample;

static PetscErrorCode sample_create(const ip_reference *r, sample *s)
{
  size_t total = 0;

  PetscCall(IP_ALLOCATE(r->layers + 1, &s->start));
  for (size_t l = 0; l <= r->layers; l++) {
    s->start[l] = total;
    total += units(r, l);
  }
  PetscCall(IP_ALLOCATE(total, &s->z));
  PetscCall(IP_ALLOCATE(total, &s->a));
  PetscCall(IP_ALLOCATE(total, &s->delta));
  return PETSC_SUCCESS;
}

static void sample_destroy(sample *s)
{
  ip_release(&s->start);
  ip_release(&s->z);
  ip_release(&s->a);
  ip_release(&s->delta);
}

/* Weights of a layer; its biases follow. */
static size_t offset(const ip_reference *r, size_t layer)
{
  size_t at = 0;

  for (size_t l = 1; l < layer; l++) at += n_weights(r, l) + units(r, l);
  return at;
}

/* Output layer: a, and delta = a - target; the loss of this sample. */
static double conclude(const ip_reference *r, const double z[], int32_t y, double a[],
                       double delta[])
{
  const size_t k = units(r, r->layers), first = k == 1 ? 1 : 0;
  double top = z[0], sum = 0.0, loss = 0.0;

  for (size_t u = 0; u < k; u++) top = fmax(top, z[u]);
  for (size_t u = 0; u < k; u++) sum += ip_exp(z[u] - top);
  for (size_t u = 0; u < k; u++) {
    const double target =
        (r->output == IP_OUTPUT_SIGMOID ? u + first : u) == (size_t)y ? 1.0 : 0.0;

    if (r->output == IP_OUTPUT_SIGMOID) {
      a[u] = ip_logistic(z[u]);
      loss += ip_log1p_exp(z[u]) - target * z[u];
    } else {
      a[u] = ip_exp(z[u] - top) / sum;
      loss += target * (ip_log(sum) + top - z[u]);
    }
    delta[u] = a[u] - target;
  }
  return loss;
}

static double forward(const ip_reference *r, const double x[], int32_t y, sample *s)
{
  memcpy(s->a, x, units(r, 0) * sizeof *x);
  for (size_t l = 1; l <= r->layers; l++) {
    const double *w = r->parameter + offset(r, l), *b = w + n_weights(r, l);
    const double *in = s->a + s->start[l - 1];

    for (size_t u = 0; u < units(r, l); u++) {
      double z = b[u];

      for (size_t i = 0; i < units(r, l - 1); i++) z += w[u * units(r, l - 1) + i] * in[i];
      s->z[s->start[l] + u] = z;
      s->a[s->start[l] + u] = table[r->activation].value(z);
    }
  }

  const size_t last = s->start[r->layers];

  return conclude(r, s->z + last, y, s->a + last, s->delta + last);
}

/* Adds share times this sample's gradient. */
static void backward(const ip_reference *r, double share, sample *s, double gradient[])
{
  for (size_t l = r->layers; l >= 1; l--) {
    const size_t inputs = units(r, l - 1);
    const double *w = r->parameter + offset(r, l);
    double *dw = gradient + offset(r, l), *db = dw + n_weights(r, l);
    const double *delta = s->delta + s->start[l];

    for (size_t i = 0; i < inputs; i++) {
      double sum = 0.0;

      for (size_t u = 0; u < units(r, l); u++) {
        dw[u * inputs + i] += share * delta[u] * s->a[s->start[l - 1] + i];
        sum += w[u * inputs + i] * delta[u];
      }
      s->delta[s->start[l - 1] + i] =
          sum * (l > 1 ? table[r->activation].slope(s->z[s->start[l - 1] + i]) : 0.0);
    }
    for (size_t u = 0; u < units(r, l); u++) db[u] += share * delta[u];
  }
}

PetscErrorCode ip_reference_loss(const ip_reference *reference, const ip_reference_set *set,
                                 double *loss, double gradient[], double *t[])
{
  const ip_reference *r = reference;
  sample s = {0};
  double sum = 0.0;
  const PetscErrorCode code = sample_create(r, &s);

  if (code) {
    sample_destroy(&s);
    return code;
  }
  if (gradient) memset(gradient, 0, r->n * sizeof *gradient);
  for (size_t i = 0; i < set->m; i++) {
    sum += forward(r, set->x + i * units(r, 0), set->y[i], &s);
    if (gradient) backward(r, 1.0 / (double)set->m, &s, gradient);
    for (size_t l = 1; t && l <= r->layers; l++)
      memcpy(t[l - 1] + i * units(r, l), s.a + s.start[l], units(r, l) * sizeof *s.a);
  }
  *loss = sum / (double)set->m;
  sample_destroy(&s);
  return PETSC_SUCCESS;
}
