package io.hypercalld.core.state;

import io.hypercalld.core.state.MemoryModel.Guest;

/** A kind of operation: what it does to a guest's memory it does to the model, too. */
@FunctionalInterface
interface Operation {
  void on(Guest guest);
}
