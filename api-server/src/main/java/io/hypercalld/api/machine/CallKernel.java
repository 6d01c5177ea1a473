package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.DmaOperations;
import io.hypercalld.core.dma.KernelPanic;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.kernel.RunningKernel;
import java.util.List;
import java.util.Optional;

/**
 * A driver in a guest calls its kernel, which is booted where none runs or the address mode is
 * another one now.
 *
 * <p>Refused with ESRCH where there is no such domain; ENODEV for a device that it has not; as the
 * call.
 */
public record CallKernel(DomainId domain, KernelCall call)
    implements MachineCommand<CallKernel.Answer> {
  /**
   * What the kernel answered.
   *
   * @param addresses what the driver is to tell the device
   * @param memory the guest-physical address of memory that the driver got
   * @param hypercalls made for it
   * @param toDevice bytes copied for the device
   * @param fromDevice bytes copied for the kernel
   * @param panic the kernel's last words, where these are that
   */
  public record Answer(
      List<Address> addresses,
      Optional<Word> memory,
      long hypercalls,
      long toDevice,
      long fromDevice,
      Optional<String> panic) {}

  /** A bus address, and what is behind it. */
  public record Address(Word bus, DmaOperations.Place place, int length) {}

  @Override
  public Answer execute(Machine machine) {
    Domain owner = machine.hypervisor().domains().byId(domain);
    call.device().ifPresent(device -> GuestKernels.requireDevice(machine, owner, device));
    RunningKernel kernel = GuestKernels.of(machine, owner);
    call.device().map(KernelCall.Device::described).ifPresent(kernel::probe);
    long hypercalls = owner.calls().hypercalls();
    long in = kernel.bounces().map(pool -> pool.counters().bytesToDevice()).orElse(0L);
    long out = kernel.bounces().map(pool -> pool.counters().bytesFromDevice()).orElse(0L);
    KernelCall.Given given;
    Optional<String> panic = Optional.empty();
    try {
      given = call.on(kernel);
    } catch (KernelPanic last) {
      given = KernelCall.Given.NOTHING;
      panic = Optional.of(last.words());
    }
    return new Answer(
        given.addresses().stream()
            .map(run -> new Address(run.bus(), kernel.dma().place(run.bus().value()), run.length()))
            .toList(),
        given.memory(),
        owner.calls().hypercalls() - hypercalls,
        kernel.bounces().map(pool -> pool.counters().bytesToDevice()).orElse(0L) - in,
        kernel.bounces().map(pool -> pool.counters().bytesFromDevice()).orElse(0L) - out,
        panic);
  }
}
