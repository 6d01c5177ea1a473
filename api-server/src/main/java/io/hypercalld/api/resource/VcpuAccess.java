package io.hypercalld.api.resource;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.AccessGuest;
import io.hypercalld.api.machine.AccessPort;
import io.hypercalld.api.machine.MachineCommand;
import io.hypercalld.api.machine.RepeatAccess;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.ioreq.dispatch.PortAccess;
import io.hypercalld.ioreq.dispatch.RepeatedAccess;
import io.hypercalld.ioreq.dispatch.RepeatedAccess.Elements;
import io.hypercalld.ioreq.dispatch.RepeatedAccess.Operand;
import io.hypercalld.ioreq.dispatch.RepeatedAccess.Place;
import io.hypercalld.ioreq.dispatch.RepeatedAccess.Space;
import java.util.Optional;
import java.util.function.Function;

/** A guest's instruction, understood: what is left is to say whose it is. Immutable. */
interface VcpuAccess extends Function<DomainId, MachineCommand<AccessOutcome>> {
  /**
   * An instruction's access to memory; what is not a read brings data along, or says where in RAM
   * it is.
   *
   * @param count elements of a repeated instruction, one where neither this nor ram is there
   * @param df whether each lies below the one before
   * @param ram guest-physical address of the elements at the other end
   */
  record MemoryBody(
      Word gpa,
      GuestRequest.Operation op,
      int size,
      Optional<Word> data,
      Optional<Long> count,
      @OrElse("false") boolean df,
      Optional<Word> ram) {
    VcpuAccess by(int vcpu) {
      if (count.isPresent() || ram.isPresent()) {
        if (op == GuestRequest.Operation.ADD) {
          throw InvalidBody.at("/count", "no instruction adds to several elements");
        }
        Place place = new Place(Space.MEMORY, gpa);
        Elements elements = new Elements(size, count.orElse(1L), df);
        return repeated(vcpu, place, elements, op == GuestRequest.Operation.READ, data, ram);
      }
      requireData(op != GuestRequest.Operation.READ, data);
      GuestRequest request = new GuestRequest(vcpu, gpa, size, op, data.orElse(new Word(0)));
      return domain -> new AccessGuest(domain, request);
    }
  }

  /** Which way a port's bytes go. */
  enum PortOperation {
    IN,
    OUT
  }

  /** An instruction's access to a port; what goes out brings data along, or says where it is. */
  record PortBody(
      Word port,
      PortOperation op,
      int size,
      Optional<Word> data,
      Optional<Long> count,
      @OrElse("false") boolean df,
      Optional<Word> ram) {
    VcpuAccess by(int vcpu) {
      boolean reads = op == PortOperation.IN;
      if (count.isPresent() || ram.isPresent()) {
        Elements elements = new Elements(size, count.orElse(1L), df);
        return repeated(vcpu, new Place(Space.PORT, port), elements, reads, data, ram);
      }
      requireData(!reads, data);
      int number = portNumber(port);
      long brought = data.map(Word::value).orElse(0L);
      PortAccess access = new PortAccess(vcpu, number, size, reads, brought);
      return domain -> new AccessPort(domain, access);
    }
  }

  private static VcpuAccess repeated(
      int vcpu,
      Place place,
      Elements elements,
      boolean reads,
      Optional<Word> data,
      Optional<Word> ram) {
    if (data.isPresent() == ram.isPresent()) {
      throw InvalidBody.at(
          "/ram", "a repeated instruction has either data or ram at its other end");
    }
    Operand operand =
        ram.<Operand>map(Operand.Ram::new).orElseGet(() -> new Operand.Value(data.orElseThrow()));
    RepeatedAccess access = new RepeatedAccess(vcpu, place, elements, reads, operand);
    return domain -> new RepeatAccess(domain, access);
  }

  private static void requireData(boolean brings, Optional<Word> data) {
    if (brings && data.isEmpty()) {
      throw InvalidBody.at("/data", "the member data is missing, which a write needs");
    }
    if (!brings && data.isPresent()) {
      throw InvalidBody.at("/data", "a read brings no data along");
    }
  }

  /** The number of a port; one that is too large stays so. */
  static int portNumber(Word port) {
    return (int) Math.min(port.value() & Long.MAX_VALUE, Integer.MAX_VALUE);
  }
}
