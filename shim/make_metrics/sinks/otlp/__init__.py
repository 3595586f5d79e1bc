"""The OpenTelemetry sink: a trace for each run, and durations, sent by OTLP over HTTP."""
