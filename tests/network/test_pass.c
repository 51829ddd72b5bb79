/* The float kernels against the reference in double (acceptance 11), over shapes that meet every
   edge of the tiles; and the same bits from every vector width. */

#include "fixture.h"
#include <infoplane/numerics.h>

static const struct {
  const char *what, *activation;
  ip_output output;
  size_t layers, n;
  int32_t width[8];
} shapes[] = {
    {"the paper's",         "tanh",     IP_OUTPUT_SOFTMAX, 6, 100, {12, 10, 7, 5, 4, 3, 2}},
    {"one unit everywhere", "tanh",     IP_OUTPUT_SIGMOID, 3, 5,   {1, 1, 1, 1}           },
    {"no hidden layer",     "tanh",     IP_OUTPUT_SOFTMAX, 1, 16,  {6, 3}                 },
    {"one sample",          "sigmoid",  IP_OUTPUT_SIGMOID, 2, 1,   {3, 5, 1}              },
    {"odd widths",          "softsign", IP_OUTPUT_SIGMOID, 3, 77,  {9, 23, 17, 3}         },
    {"rectified",           "relu",     IP_OUTPUT_SOFTMAX, 3, 64,  {5, 32, 31, 4}         },
    {"softplus",            "softplus", IP_OUTPUT_SOFTMAX, 3, 33,  {5, 8, 6, 2}           },
    {"linear",              "linear",   IP_OUTPUT_SOFTMAX, 3, 33,  {5, 8, 6, 2}           },
    {"wide",                "tanh",     IP_OUTPUT_SOFTMAX, 3, 40,  {784, 33, 129, 10}     },
    {"wide on both sides",  "tanh",     IP_OUTPUT_SOFTMAX, 3, 40,  {150, 130, 140, 10}    },
};

static double distance(size_t n, const float have[], const double want[])
{
  double squares = 0, error = 0;

  for (size_t i = 0; i < n; i++) {
    squares += want[i] * want[i];
    error += pow((double)have[i] - want[i], 2);
  }
  return sqrt(error / squares);
}

static ip_network_shape shape_of(size_t i, ip_blas blas)
{
  return (ip_network_shape){.layers = shapes[i].layers,
                            .width = shapes[i].width,
                            .activation = named(ip_activation_name, shapes[i].activation),
                            .output = shapes[i].output,
                            .blas = blas};
}

static int32_t classes_of(size_t i)
{
  const int32_t units = shapes[i].width[shapes[i].layers];

  return units == 1 ? 2 : units;
}

/* The gradient, layer by layer so that no layer hides behind a larger one. */
static void against_reference(size_t i, ip_blas blas)
{
  const ip_network_shape shape = shape_of(i, blas);
  ip_network *network = network_make(&shape);
  ip_reference *r = reference_of(&shape, network);
  const size_t n = ip_network_n_parameters(network);
  fixture_data data;
  float *have;
  double *want, loss;

  data_make(shapes[i].n, (size_t)shapes[i].width[0], classes_of(i), &data);
  OK(IP_ALLOCATE(n, &have));
  OK(IP_ALLOCATE(n, &want));
  OK(ip_network_gradient(network, &data.set, have));
  OK(ip_reference_loss(r, &(ip_reference_set){shapes[i].n, data.wide, data.y}, &loss, want,
                       NULL));
  for (size_t l = 1; l <= shape.layers; l++) {
    const size_t at = ip_network_offset(network, l),
                 end = l < shape.layers ? ip_network_offset(network, l + 1) : n;

    NEAR(distance(end - at, have + at, want + at), 0, 1e-5, "%s: gradient of layer %zu",
         shapes[i].what, l);
  }
  ip_release(&have);
  ip_release(&want);
  data_release(&data);
  ip_reference_destroy(&r);
  ip_network_destroy(&network);
}

static void gradients_agree(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(shapes); i++) against_reference(i, IP_BLAS_OWN);
}

static void gradients_agree_by_openblas(void **state)
{
  (void)state;
  assert_true(strlen(ip_blas_kernel()) > 0);
  against_reference(COUNT(shapes) - 1, IP_BLAS_OPENBLAS);
}

/* Parameters after some epochs of training with this vector width. */
static float *trained(size_t i, ip_isa isa, ip_optimizer optimizer, const fixture_data *data,
                      size_t *n)
{
  const ip_network_shape shape = shape_of(i, IP_BLAS_OWN);
  const ip_training training = {
      .optimizer = optimizer, .learning_rate = 0.01, .momentum = 0.9, .batch = 30, .seed = 1};
  ip_network *network;
  ip_trainer *trainer;
  float *parameters;
  bool finite;

  setenv("INFOPLANE_ISA", ip_isa_name(isa), 1);
  network = network_make(&shape);
  unsetenv("INFOPLANE_ISA");
  OK(ip_trainer_create(network, &training, &data->set, &trainer));
  for (uint64_t epoch = 0; epoch < 4; epoch++) {
    OK(ip_trainer_epoch(trainer, epoch, &finite));
    assert_true(finite);
  }
  *n = ip_network_n_parameters(network);
  OK(IP_ALLOCATE(*n, &parameters));
  memcpy(parameters, ip_network_parameters(network), *n * sizeof *parameters);
  ip_trainer_destroy(&trainer);
  ip_network_destroy(&network);
  return parameters;
}

static void widths_agree(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(shapes); i++) {
    const ip_optimizer optimizer = (ip_optimizer)(i % 3);
    fixture_data data;
    float *plain;
    size_t n;

    data_make(shapes[i].n, (size_t)shapes[i].width[0], classes_of(i), &data);
    plain = trained(i, IP_ISA_BASELINE, optimizer, &data, &n);
    for (int isa = 1; isa <= (int)ip_isa_best(); isa++) {
      float *wider = trained(i, (ip_isa)isa, optimizer, &data, &n);

      if (memcmp(plain, wider, n * sizeof *plain) != 0)
        fail_msg("%s: %s differs", shapes[i].what, ip_isa_name((size_t)isa));
      ip_release(&wider);
    }
    ip_release(&plain);
    data_release(&data);
  }
}

static void refuses_what_is_no_network(void **state)
{
  ip_network *network;

  (void)state;
  FAILS(ip_network_create(&(ip_network_shape){.layers = 0}, &network), IP_ERR_CONFIG,
        "0 layers");
  FAILS(ip_network_create(
            &(ip_network_shape){
                .layers = 2, .width = (const int32_t[]){4, 0, 2}
  },
            &network),
        IP_ERR_CONFIG, "layer 1 is 0 units wide");
  FAILS(ip_network_create(
            &(ip_network_shape){
                .layers = 1, .width = (const int32_t[]){4, 1}
  },
            &network),
        IP_ERR_CONFIG, "softmax over one unit");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gradients_agree),
      cmocka_unit_test(gradients_agree_by_openblas),
      cmocka_unit_test(widths_agree),
      cmocka_unit_test(refuses_what_is_no_network),
  };

  return RUN_TESTS(tests);
}
