/* Mini-batch training: shuffle, forward, backward, one optimizer step per batch. */

#include "inside.h"
#include <math.h>
#include <string.h>

struct ip_trainer {
  ip_network *network;
  ip_training training;
  ip_training_set set;
  int64_t updates;
  uint32_t *order; /* shape (n_train): patterns, in the order of the epoch  */
  float *gradient; /* shape (n rounded up to 16), the rest 0                */
  size_t n_state;  /* of the optimizer: a whole number of times the same    */
  float *state;
  ip_pass pass;
};

/* Arrays of the size of the parameters that an optimizer keeps. */
static size_t moments(ip_optimizer optimizer)
{
  switch (optimizer) {
  case IP_OPTIMIZER_ADAM:
    return 2;
  case IP_OPTIMIZER_MOMENTUM:
    return 1;
  case IP_OPTIMIZER_SGD:
  default:
    return 0;
  }
}

static PetscErrorCode check(const ip_network *network, const ip_training *training,
                            const ip_training_set *set)
{
  const int32_t units = network->width[network->layers], classes = units > 1 ? units : 2;

  IP_CHECK(set->d == ip_units(network, 0), IP_ERR_INTERNAL,
           "the network takes %d features, the data have %zu", (int)network->width[0], set->d);
  IP_CHECK(set->n_train >= 1, IP_ERR_CONFIG, "the training set is empty");
  IP_CHECK(training->batch >= 1, IP_ERR_CONFIG, "batch %zu: it must be at least 1",
           training->batch);
  for (size_t i = 0; i < set->n_train; i++) {
    const uint32_t at = set->train[i];

    IP_CHECK(at < set->n, IP_ERR_INTERNAL, "training pattern %u of %zu", at, set->n);
    IP_CHECK(set->y[at] >= 0 && set->y[at] < classes, IP_ERR_DATA,
             "label %d of pattern %u is outside 0 .. %d", (int)set->y[at], at,
             (int)classes - 1);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode fill(ip_network *network, const ip_training *training,
                           const ip_training_set *set, ip_trainer *trainer)
{
  const size_t n = ip_round_up(network->n);
  size_t batch = training->batch;

  if (batch > set->n_train) batch = set->n_train;
  *trainer = (ip_trainer){.network = network, .training = *training, .set = *set};
  trainer->training.batch = batch;
  trainer->n_state = moments(training->optimizer) * n;
  PetscCall(IP_ALLOCATE(set->n_train, &trainer->order));
  PetscCall(IP_ALLOCATE(n, &trainer->gradient));
  PetscCall(IP_ALLOCATE(trainer->n_state, &trainer->state));
  PetscCall(ip_pass_create(network, batch, true, &trainer->pass));
  return PETSC_SUCCESS;
}

PetscErrorCode ip_trainer_create(ip_network *network, const ip_training *training,
                                 const ip_training_set *set, ip_trainer **trainer)
{
  ip_trainer *made;

  PetscCall(check(network, training, set));
  PetscCall(IP_ALLOCATE(1, &made));

  const PetscErrorCode code = fill(network, training, set, made);

  if (code) {
    ip_trainer_destroy(&made);
    return code;
  }
  *trainer = made;
  return PETSC_SUCCESS;
}

void ip_trainer_destroy(ip_trainer **trainer)
{
  if (!*trainer) return;
  ip_release(&(*trainer)->order);
  ip_release(&(*trainer)->gradient);
  ip_release(&(*trainer)->state);
  ip_pass_destroy(&(*trainer)->pass);
  ip_release(trainer);
}

/* base^n by squaring: from the count of updates alone, the same after a restart. */
static double power(double base, int64_t n)
{
  double result = 1.0;

  for (; n > 0; n /= 2) {
    if (n % 2 != 0) result *= base;
    base *= base;
  }
  return result;
}

static void step(ip_trainer *trainer)
{
  const size_t n = ip_round_up(trainer->network->n);
  const ip_training *t = &trainer->training;
  ip_step s = {.optimizer = t->optimizer,
               .n = n,
               .rate = (float)t->learning_rate,
               .momentum = (float)t->momentum,
               .decay = (float)t->weight_decay,
               .gradient = trainer->gradient,
               .parameter = trainer->network->parameter};

  trainer->updates++;
  if (t->optimizer != IP_OPTIMIZER_SGD) s.first = trainer->state;
  if (t->optimizer == IP_OPTIMIZER_ADAM) {
    s.second = trainer->state + n;
    s.rate = (float)(t->learning_rate / (1.0 - power(0.9, trainer->updates)));
    s.root = (float)(1.0 / sqrt(1.0 - power(0.999, trainer->updates)));
  }
  trainer->network->products->step(&s);
}

PetscErrorCode ip_trainer_epoch(ip_trainer *trainer, uint64_t epoch, bool *finite)
{
  const ip_training *t = &trainer->training;
  const ip_training_set *set = &trainer->set;
  const ip_stream stream = {
      .seed = t->seed, .replicate = t->replicate, .purpose = IP_PURPOSE_SHUFFLE};
  ip_network *network = trainer->network;
  ip_pass *pass = &trainer->pass;

  IP_CHECK(epoch < 1ULL << 31, IP_ERR_CONFIG, "epoch %llu: there are at most 2^31",
           (unsigned long long)epoch);
  memcpy(trainer->order, set->train, set->n_train * sizeof *trainer->order);
  ip_stream_shuffle(&stream, epoch, set->n_train, trainer->order);
  for (size_t at = 0; at < set->n_train; at += t->batch) {
    const size_t m = t->batch < set->n_train - at ? t->batch : set->n_train - at;

    ip_pass_load(network, m, trainer->order + at, set->x, pass);
    ip_pass_label(m, trainer->order + at, set->y, 1.0F / (float)m, pass);
    ip_pass_forward(network, pass);
    ip_pass_backward(network, pass);
    ip_pass_gradient(network, pass, trainer->gradient);
    step(trainer);
  }
  *finite = ip_all_finite(network->n, network->parameter);
  return PETSC_SUCCESS;
}

int64_t ip_trainer_updates(const ip_trainer *trainer)
{
  return trainer->updates;
}

float *ip_trainer_state(ip_trainer *trainer, size_t *n)
{
  *n = trainer->n_state;
  return trainer->state;
}

void ip_trainer_set_updates(ip_trainer *trainer, int64_t updates)
{
  trainer->updates = updates;
}
