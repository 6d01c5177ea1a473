package io.hypercalld.core.planted;

import java.util.random.RandomGenerator;

/** Leaves it to chance. */
public final class Dice {
  private Dice() {}

  static int roll() {
    return RandomGenerator.getDefault().nextInt(6);
  }
}
