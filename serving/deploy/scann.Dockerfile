# A TensorFlow Serving that has ScaNN's operations, for recommender_scann.
#
# Operations outside TensorFlow have to be linked into the server. ScaNN's
# authors publish such a build; TensorFlow's and ScaNN's versions in it are
# theirs, so try a bundle on it before you rely on it: README, "Serving".
ARG BASE=google/tf-serving-scann:latest
FROM ${BASE}
COPY models_scann.config monitoring.config /config/
EXPOSE 8500 8501
USER 65532
ENTRYPOINT ["tensorflow_model_server"]
CMD ["--port=8500", "--rest_api_port=8501", \
     "--model_config_file=/config/models_scann.config", \
     "--monitoring_config_file=/config/monitoring.config"]
