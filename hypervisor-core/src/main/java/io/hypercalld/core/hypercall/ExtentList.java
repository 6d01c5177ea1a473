package io.hypercalld.core.hypercall;

import io.hypercalld.core.memory.Mfn;
import java.util.List;

/** What a PV domain gets back from an operation on its reservation. Immutable. */
public record ExtentList(List<Mfn> extentStart) {
  public ExtentList {
    extentStart = List.copyOf(extentStart);
  }
}
