/* The reference network: its gradient against central differences of its loss (acceptance 11),
   and its loss against numbers from hand. */

#include "fixture.h"

static double loss_at(ip_reference *r, const fixture_data *data)
{
  double loss;

  OK(ip_reference_loss(r, &(ip_reference_set){data->set.n, data->wide, data->y}, &loss, NULL,
                       NULL));
  return loss;
}

static void differences(size_t activation, ip_output output, const int32_t width[])
{
  const ip_network_shape shape = {
      .layers = 3, .width = width, .activation = activation, .output = output};
  const int32_t classes = width[3] == 1 ? 2 : width[3];
  const double h = 1e-5;
  double gradient[64], squares = 0, error = 0, loss;
  fixture_data data;
  ip_network *network = network_make(&shape);
  ip_reference *r = reference_of(&shape, network);
  double *p = ip_reference_parameters(r);
  const size_t n = ip_network_n_parameters(network);

  assert_true(n <= COUNT(gradient));
  data_make(9, 3, classes, &data);
  OK(ip_reference_loss(r, &(ip_reference_set){data.set.n, data.wide, data.y}, &loss, gradient,
                       NULL));
  for (size_t i = 0; i < n; i++) {
    const double kept = p[i];
    double high, low;

    p[i] = kept + h, high = loss_at(r, &data);
    p[i] = kept - h, low = loss_at(r, &data);
    p[i] = kept;
    squares += gradient[i] * gradient[i];
    error += pow((high - low) / (2 * h) - gradient[i], 2);
  }
  assert_true(squares > 0);
  NEAR(sqrt(error / squares), 0, 1e-6, "%s, %s: gradient", ip_activation_name(activation),
       ip_output_name(output));
  data_release(&data);
  ip_reference_destroy(&r);
  ip_network_destroy(&network);
}

static void gradient_is_the_slope(void **state)
{
  (void)state;
  for (size_t a = 0; ip_activation_name(a); a++) {
    differences(a, IP_OUTPUT_SOFTMAX, (const int32_t[]){3, 4, 3, 3});
    differences(a, IP_OUTPUT_SIGMOID, (const int32_t[]){3, 4, 3, 1});
    differences(a, IP_OUTPUT_SIGMOID, (const int32_t[]){3, 4, 3, 3});
  }
}

/* One layer, logits (1, 3), class 1: ln(1 + e^-2); one sigmoid unit, z = -2, class 1:
   ln(1 + e^2); two sigmoids, logits (1, 3), class 1:
   ln(1 + e) + ln(1 + e^-3). */
static void loss_by_hand(void **state)
{
  const struct {
    ip_output output;
    int32_t width[2];
    double parameter[4], loss;
  } known[] = {
      {IP_OUTPUT_SOFTMAX, {1, 2}, {1, 3, 0, 0}, 0.126928011042972},
      {IP_OUTPUT_SIGMOID, {1, 1}, {-3, 1},      2.126928011042972},
      {IP_OUTPUT_SIGMOID, {1, 2}, {1, 3, 0, 0}, 1.361849039091965},
  };
  const double x = 1;
  const int32_t y = 1;

  (void)state;
  for (size_t i = 0; i < COUNT(known); i++) {
    const ip_network_shape shape = {
        .layers = 1, .width = known[i].width, .output = known[i].output};
    ip_reference *r;
    double loss;

    OK(ip_reference_create(&shape, &r));
    memcpy(ip_reference_parameters(r), known[i].parameter,
           (size_t)known[i].width[1] * 2 * sizeof(double));
    OK(ip_reference_loss(r, &(ip_reference_set){1, &x, &y}, &loss, NULL, NULL));
    NEAR(loss, known[i].loss, 1e-14, "loss %zu", i);
    ip_reference_destroy(&r);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gradient_is_the_slope),
      cmocka_unit_test(loss_by_hand),
  };

  return RUN_TESTS(tests);
}
