"""The OpenTelemetry sink: a trace for each run and histograms of durations, sent by OTLP over HTTP."""
