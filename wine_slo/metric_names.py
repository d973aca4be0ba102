"""The names of every metric that the two processes export, and of the labels on them; written once, here."""

# Labels
ENDPOINT = "endpoint"  # the route's template, `unmatched` for all else
DRILL_ENDPOINT = "/sleep?drill"  # of the requests of a drill, so that the error budget can leave it out
STATUS = "status"  # HTTP status code, three digits
LABEL = "label"  # the class that was predicted
FEATURE = "feature"  # one of the thirteen measurements
VERSION, SHA256, SKLEARN, ENGINE = "version", "sha256", "sklearn", "engine"  # what serves
SLO = "slo"  # an objective's name
OUTCOME = "outcome"  # how something ended
QUERY_OUTCOMES = ("answered", "failed")  # of a query
REASON = "reason"  # why something was not sent
KIND = "kind"  # what a message is for
SERVICE = "service"  # the job of which a version was deployed
REPLICA = "replica"  # of several Prometheus that scrape the same targets: host:port
WINDOW = "window"  # a span as Prometheus writes it: 5m, 1h, 3d

# The server
REQUESTS = "requests_total"
REQUEST_SECONDS = "request_latency_seconds"
RESPONSES = "responses_total"
REQUESTS_IN_FLIGHT = "requests_in_flight"
OLDEST_REQUEST_SECONDS = "oldest_request_age_seconds"
PREDICTIONS = "predictions_total"
FEATURE_OUT_OF_RANGE = "feature_out_of_range_total"
PREDICTION_CONFIDENCE = "prediction_confidence"
MODEL_INFERENCE_SECONDS = "model_inference_seconds"
MODEL_BATCH_SIZE = "model_batch_size"
MODEL_INFO = "model_info"

# The watchdog
SLO_STATE = "slo_state"
SLO_SIGHT = "slo_sight"
SLO_LATENCY_SECONDS = "slo_latency_seconds"
SLO_SLI_RATIO = "slo_sli_ratio"
SLO_OBJECTIVE_RATIO = "slo_objective_ratio"
SLO_BURN_RATE = "slo_burn_rate"
SLO_ERROR_BUDGET_REMAINING_RATIO = "slo_error_budget_remaining_ratio"
WATCHDOG_LAST_TICK_TIMESTAMP_SECONDS = "watchdog_last_tick_timestamp_seconds"
WATCHDOG_TICK_SECONDS = "watchdog_tick_seconds"
WATCHDOG_QUERIES = "watchdog_queries_total"
WATCHDOG_REPLICA_QUERIES = "watchdog_replica_queries_total"
WATCHDOG_REPLICA_SWITCHES = "watchdog_replica_switches_total"
WATCHDOG_REPLICA_DISAGREEMENTS = "watchdog_replica_disagreements_total"
WATCHDOG_REPLICA_SIGHT = "watchdog_replica_sight"
WATCHDOG_MESSAGES = "watchdog_messages_total"
WATCHDOG_NOTIFICATIONS_SUPPRESSED = "watchdog_notifications_suppressed_total"
WATCHDOG_UNTOLD_SECONDS = "watchdog_untold_seconds"
WATCHDOG_RECIPIENTS_UNREACHABLE = "watchdog_recipients_unreachable"
WATCHDOG_QUESTIONS = "watchdog_questions_total"
WATCHDOG_LISTENING = "watchdog_listening"
WATCHDOG_INCIDENTS_OPEN = "watchdog_incidents_open"
WATCHDOG_SILENCES_ACTIVE = "watchdog_silences_active"
WATCHDOG_IS_LEADER = "watchdog_is_leader"
WATCHDOG_LEASE_EPOCH = "watchdog_lease_epoch"
WATCHDOG_STANDBYS = "watchdog_standbys"
WATCHDOG_TAKEOVERS = "watchdog_takeovers_total"
WATCHDOG_INFO = "watchdog_info"
WATCHDOG_DEPLOYMENT_TIMESTAMP_SECONDS = "watchdog_deployment_timestamp_seconds"
