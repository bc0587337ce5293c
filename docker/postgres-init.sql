CREATE DATABASE mlflow OWNER hydroml;
