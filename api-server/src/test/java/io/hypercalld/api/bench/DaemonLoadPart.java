package io.hypercalld.api.bench;

import java.io.IOException;

/** One thing that is measured of a daemon. */
interface DaemonLoadPart {
  /** Measures it and says what came out. */
  void measure(DaemonProcess daemon) throws IOException;
}
