package io.hypercalld.core.hypercall;

import io.hypercalld.core.memory.Mfn;
import java.util.ArrayList;
import java.util.List;

/** What a PV domain gets back from an operation on its reservation. Immutable. */
public record ExtentList(List<Mfn> extentStart) implements Written {
  public ExtentList {
    extentStart = List.copyOf(extentStart);
  }

  @Override
  public ExtentList after(Written earlier) {
    List<Mfn> all = new ArrayList<>(((ExtentList) earlier).extentStart);
    all.addAll(extentStart);
    return new ExtentList(all);
  }
}
