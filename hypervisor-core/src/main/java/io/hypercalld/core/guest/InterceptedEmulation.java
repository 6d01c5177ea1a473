package io.hypercalld.core.guest;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The hypervisor's own devices, and emulators for the rest. Confined to the machine thread. */
final class InterceptedEmulation implements Emulation {
  private final List<InternalDevices> devices = new ArrayList<>();
  private Emulation rest = UNCLAIMED;

  void add(InternalDevices device) {
    devices.add(device);
  }

  void leaveRestTo(Emulation emulation) {
    rest = emulation;
  }

  @Override
  public Answer access(MmioAccess access) {
    for (InternalDevices device : devices) {
      Optional<Answer> answer = device.access(access);
      if (answer.isPresent()) {
        return answer.get();
      }
    }
    Answer answer = rest.access(access);
    if (answer instanceof Completed) {
      completed(access);
    }
    return answer;
  }

  @Override
  public void completed(MmioAccess access) {
    devices.forEach(device -> device.completed(access));
  }
}
