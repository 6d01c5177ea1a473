package io.hypercalld.api.rest;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import io.hypercalld.core.errno.Errno;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A request that fails, with everything its problem document says. */
public final class Failure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Problem problem;
  private final transient Map<String, String> headers;

  public Failure(Problem problem, Map<String, String> headers) {
    super(problem.detail(), null, false, false);
    this.problem = problem;
    this.headers = new LinkedHashMap<>(problem.type().headers());
    this.headers.putAll(headers);
  }

  /** A failure whose detail is a format string, as in {@link String#format}. */
  @FormatMethod
  public static Failure of(ProblemType type, @FormatString String detail, Object... values) {
    return new Failure(
        Problem.of(type, values.length == 0 ? detail : String.format(detail, values)), Map.of());
  }

  /** What the hypervisor refused. */
  public static Failure of(Errno errno, String detail) {
    return new Failure(Problem.of(Problems.of(errno), detail).refusing(errno), Map.of());
  }

  public Failure at(String pointer) {
    return new Failure(problem.at(pointer), headers);
  }

  Failure injectedBy(String rule) {
    return new Failure(problem.injectedBy(rule), headers);
  }

  public Failure calling(String call) {
    return new Failure(problem.calling(call), headers);
  }

  public Failure hinting(Optional<String> hint) {
    return hint.map(sentence -> new Failure(problem.hinting(sentence), headers)).orElse(this);
  }

  public Failure with(String header, String value) {
    return new Failure(problem, Map.of(header, value));
  }

  Problem problem() {
    return problem;
  }

  Map<String, String> headers() {
    return headers;
  }
}
