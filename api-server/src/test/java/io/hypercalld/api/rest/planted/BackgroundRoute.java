package io.hypercalld.api.rest.planted;

/** A route that goes on behind everybody's back. */
public final class BackgroundRoute {
  private BackgroundRoute() {}

  static Thread answer(Runnable work) {
    return new Thread(work);
  }
}
