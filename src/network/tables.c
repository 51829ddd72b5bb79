/* The closed sets of the room: activations, outputs, initial weights, optimizers, multipliers. */

#include <infoplane/network.h>
#include <math.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static const ip_activation activation[] = {
#define IP_ACTIVATION(name, sentence, low, high) {#name, sentence, low, high},
#include "activation.def"
#undef IP_ACTIVATION
};

const ip_activation *ip_activation_row(size_t i)
{
  return i < COUNT(activation) ? &activation[i] : NULL;
}

const char *ip_activation_name(size_t i)
{
  return i < COUNT(activation) ? activation[i].name : NULL;
}

const char *ip_output_name(size_t i)
{
  static const char *const name[] = {
      [IP_OUTPUT_SOFTMAX] = "softmax", [IP_OUTPUT_SIGMOID] = "sigmoid"};

  return i < COUNT(name) ? name[i] : NULL;
}

const char *ip_init_name(size_t i)
{
  static const char *const name[] = {[IP_INIT_FAN_IN] = "fan_in",
                                     [IP_INIT_FAN_OUT] = "fan_out",
                                     [IP_INIT_UNIFORM] = "uniform"};

  return i < COUNT(name) ? name[i] : NULL;
}

const char *ip_optimizer_name(size_t i)
{
  static const char *const name[] = {[IP_OPTIMIZER_SGD] = "sgd",
                                     [IP_OPTIMIZER_MOMENTUM] = "momentum",
                                     [IP_OPTIMIZER_ADAM] = "adam"};

  return i < COUNT(name) ? name[i] : NULL;
}

const char *ip_blas_name(size_t i)
{
  static const char *const name[] = {[IP_BLAS_OWN] = "own", [IP_BLAS_OPENBLAS] = "openblas"};

  return i < COUNT(name) ? name[i] : NULL;
}

int32_t ip_output_units(ip_output output, int32_t classes)
{
  return output == IP_OUTPUT_SIGMOID && classes == 2 ? 1 : classes;
}
