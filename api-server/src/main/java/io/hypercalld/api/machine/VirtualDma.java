package io.hypercalld.api.machine;

import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.guest.GuestMemory;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.virtual.VirtualDevices;
import io.hypercalld.iommu.vtd.DmaAccess;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * An emulated device of a guest's reads or writes the guest's memory, page by page, as its device
 * model does: it asks where the page is, and moves the bytes. Nothing moves where any page is
 * blocked.
 *
 * @param data what it writes; empty where it reads
 */
public record VirtualDma(
    DomainId domain, Sbdf device, Word address, int length, Optional<HexBytes> data)
    implements MachineCommand<VirtualDma.Result> {
  /**
   * The part in one page.
   *
   * @param problem why nothing moved although the guest's tables permit it
   */
  public record Part(Word iova, int length, VirtualDevices.Told told, Optional<String> problem) {}

  /**
   * What became of it.
   *
   * @param data what a read got; empty where nothing moved
   */
  public record Result(boolean done, List<Part> parts, HexBytes data) {}

  @Override
  public Result execute(Machine machine) {
    Domain target = machine.hypervisor().domains().byId(domain);
    VirtualDevices devices = machine.virtualIommus().of(target).virtualDevices();
    DmaAccess access = data.isPresent() ? DmaAccess.WRITE : DmaAccess.READ;
    byte[] bytes = data.map(HexBytes::toByteArray).orElseGet(() -> new byte[length]);
    List<Part> parts = new ArrayList<>();
    for (int done = 0; done < length; ) {
      Word iova = new Word(address.value() + done);
      int inPage = (int) (iova.value() & (PageSize.BYTES_4K - 1));
      int part = Math.min(length - done, PageSize.BYTES_4K - inPage);
      VirtualDevices.Told told = devices.translate(device, iova, access);
      parts.add(new Part(iova, part, told, Optional.empty()));
      done += part;
    }
    return move(machine.hypervisor().guestMemory(), target, parts, bytes);
  }

  private Result move(GuestMemory memory, Domain target, List<Part> parts, byte[] bytes) {
    boolean blocked =
        parts.stream()
            .anyMatch(part -> part.told.answer() instanceof VirtualDevices.Answer.Blocked);
    if (blocked) {
      return new Result(false, parts, new HexBytes(new byte[0]));
    }
    List<Part> moved = new ArrayList<>();
    int done = 0;
    for (Part part : parts) {
      moved.add(
          new Part(part.iova, part.length, part.told, move(memory, target, part, bytes, done)));
      done += part.length;
    }
    boolean all = moved.stream().allMatch(part -> part.problem.isEmpty());
    return new Result(all, moved, new HexBytes(data.isPresent() ? new byte[0] : bytes));
  }

  private Optional<String> move(
      GuestMemory memory, Domain target, Part part, byte[] bytes, int offset) {
    if (!(part.told.answer() instanceof VirtualDevices.Answer.Translated translated)) {
      throw new IllegalStateException("a blocked part is not moved");
    }
    long gpa = translated.gpa(part.iova.value());
    try {
      if (data.isPresent()) {
        memory.write(target, gpa, Arrays.copyOfRange(bytes, offset, offset + part.length));
      } else {
        System.arraycopy(memory.read(target, gpa, part.length), 0, bytes, offset, part.length);
      }
      return Optional.empty();
    } catch (Refusal refusal) {
      return Optional.of(refusal.reason());
    }
  }
}
