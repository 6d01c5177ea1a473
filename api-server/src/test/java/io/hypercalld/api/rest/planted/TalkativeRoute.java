package io.hypercalld.api.rest.planted;

/** A route that writes where the ready line belongs. */
public final class TalkativeRoute {
  private TalkativeRoute() {}

  static void answer() {
    System.out.println("done");
  }
}
