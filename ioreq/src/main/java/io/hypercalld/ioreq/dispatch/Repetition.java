package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.guest.GuestInstruction;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.guest.GuestRequest.Operation;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.ioreq.dispatch.RepeatedAccess.Operand;
import io.hypercalld.ioreq.dispatch.RepeatedAccess.Space;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestType;
import java.util.Optional;

/**
 * How far a repeated instruction has come: as its registers would say. Confined to the machine
 * thread.
 *
 * @see "xen/arch/x86/hvm/emulate.c, hvmemul_do_io and hvmemul_rep_movs"
 */
final class Repetition implements Digestible {
  private final RepeatedAccess access;
  private Optional<GuestInstruction> element = Optional.empty();
  private boolean emulated;
  private long done;

  Repetition(RepeatedAccess access) {
    this.access = access;
  }

  RepeatedAccess access() {
    return access;
  }

  boolean isDone() {
    return done == access.elements().count();
  }

  boolean isPort() {
    return access.place().space() == Space.PORT;
  }

  /** The address of the next element, or its port. */
  long address() {
    return isPort() ? access.place().address().value() : step(access.place().address());
  }

  /** Where the next element is in RAM; empty where all have the same value. */
  Optional<Word> ram() {
    return access.operand() instanceof Operand.Ram(Word gpa)
        ? Optional.of(new Word(step(gpa)))
        : Optional.empty();
  }

  private long step(Word first) {
    long distance = done * access.elements().size();
    return first.value() + (access.elements().down() ? -distance : distance);
  }

  /**
   * As much as one request can be about: in memory the elements that lie in one page, or one that
   * does in two.
   */
  IoRequest chunk() {
    int size = access.elements().size();
    boolean down = access.elements().down();
    long left = access.elements().count() - done;
    long address = address();
    if (!isPort()) {
      long inPage = address & (PageSize.BYTES_4K - 1);
      long whole = (down ? inPage + size : PageSize.BYTES_4K - inPage) / size;
      boolean crosses = inPage + size > PageSize.BYTES_4K;
      left = crosses ? 1 : Math.min(left, whole);
    }
    boolean pointer = access.operand() instanceof Operand.Ram;
    long data =
        access.operand() instanceof Operand.Value(Word value)
            ? value.value()
            : ram().orElseThrow().value();
    return new IoRequest(
        isPort() ? RequestType.PIO : RequestType.COPY,
        address,
        data,
        left,
        size,
        new IoRequest.Flags(access.reads(), pointer, down));
  }

  /** The next element by itself, which goes on where it was. */
  GuestInstruction element(Word value) {
    GuestInstruction current =
        element.orElseGet(
            () ->
                new GuestInstruction(
                    new GuestRequest(
                        access.vcpu(),
                        new Word(address()),
                        access.elements().size(),
                        access.reads() ? Operation.READ : Operation.WRITE,
                        value)));
    element = Optional.of(current);
    return current;
  }

  /** The element that waits by itself. */
  Optional<GuestInstruction> element() {
    return element;
  }

  /** So many elements were moved. */
  void advance(long count) {
    done += count;
    element = Optional.empty();
  }

  /** Some of it was not memory. */
  void noteEmulated() {
    emulated = true;
  }

  boolean isEmulated() {
    return emulated;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(access.toString()).put(done).put(emulated).put(element.isPresent());
    element.ifPresent(digest::put);
  }
}
